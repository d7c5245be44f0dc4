#include "cli/help_man.h"

#include <stdint.h>
#include <string.h>

#include "base/version.h"
#include "cli/command.h"
#include "cli/help_registry.h"
#include "stages/stage.h"

/* One code point of UTF-8 at s, which is valid; returns its bytes. */
static size_t code_point(uint32_t *out, const char *s) {
    const unsigned char first = (unsigned char)*s;
    const size_t n = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    *out = n == 1 ? first : first & (0xFFU >> (n + 1));
    for (size_t i = 1; i < n; i++) *out = *out << 6 | ((unsigned char)s[i] & 0x3F);
    return n;
}

/* Text of any kind: control lines, escapes and hyphens are made plain, the rest of Unicode is
 * named. */
static void add_text(struct text *out, const char *s) {
    bool at_start = true;
    uint32_t c;
    for (size_t n; *s; s += n) {
        n = code_point(&c, s);
        if (at_start && (c == '.' || c == '\'')) text_add(out, "\\&");
        at_start = c == '\n';
        if (c == '\\')
            text_add(out, "\\e");
        else if (c == '-')
            text_add(out, "\\-");
        else if (c >= 0x80)
            text_add(out, "\\[u%04X]", (unsigned)c);
        else
            text_bytes(out, s, 1);
    }
}

static void add_line(struct text *out, const char *macro, const char *s) {
    text_add(out, "%s", macro);
    add_text(out, s);
    text_add(out, "\n");
}

/* Lines as they are. */
static void add_block(struct text *out, const char *s) {
    text_add(out, ".PP\n.nf\n");
    add_text(out, s);
    text_add(out, "%s.fi\n", *s && s[strlen(s) - 1] == '\n' ? "" : "\n");
}

static void add_option(struct text *out, const struct option_row *row) {
    text_add(out, ".TP\n");
    if (row->brief) {
        add_line(out, ".B ", row->brief);
        text_add(out, ".TQ\n");
    }
    text_add(out, ".BI ");
    add_text(out, row->name);
    if (row->value) {
        text_add(out, " \" ");
        add_text(out, row->value);
        text_add(out, "\"");
    }
    text_add(out, "\n");
    add_line(out, "", row->meaning);
}

static void add_command(struct text *out, const struct command *c) {
    struct text plain = {0};
    text_add(out, ".SS ");
    add_text(out, c->name);
    text_add(out, " ");
    add_line(out, "", c->arguments);
    add_line(out, "", c->meaning);
    for (size_t i = 0; i < c->n_options; i++) add_option(out, &c->options[i]);
    command_remarks(&plain, c);
    if (plain.size) add_block(out, text_str(&plain));
    if (plain.failed) out->failed = true;
    text_release(&plain);
}

static void add_topics(struct text *out) {
    struct text names = {0};
    for (size_t i = 0; i < stage_count(); i++) {
        text_add(out, ".TP\n.B stage ");
        add_line(out, "", stage_at(i)->name);
        add_line(out, "", stage_at(i)->meaning);
    }
    help_registry_names(&names);
    if (names.failed) out->failed = true;
    add_block(out, text_str(&names));
    text_release(&names);
}

static void add_exit_codes(struct text *out) {
    text_add(out, ".SH EXIT STATUS\n");
#define X(name, number, rank, meaning)                                                             \
    text_add(out, ".TP\n.B %d\n", number);                                                         \
    add_line(out, "", meaning);
    EXIT_CODES(X)
#undef X
}

static const char SYNOPSIS[] = ".SH SYNOPSIS\n"
                               ".B taskvec\n"
                               ".I COMMAND\n"
                               "[\\fIARGUMENTS\\fR] [\\fIOPTIONS\\fR]\n"
                               ".PP\n"
                               ".B mpirun \\-n\n"
                               ".I RANKS\n"
                               ".B taskvec run\n"
                               ".I CFG\n";

static const char END[] =
    ".SH ENVIRONMENT\n"
    ".TP\n.B OPENBLAS_CORETYPE\n"
    "The kernel of OpenBLAS; \\fBtaskvec doctor\\fR names the one to choose where OpenBLAS does "
    "not know the CPU.\n"
    ".TP\n.B SLURM_JOB_END_TIME\n"
    "Set by Slurm: no job is started that cannot end before.\n"
    ".SH SEE ALSO\n"
    ".BR mpirun (1)\n";

static const char DATE[] = "2026-11-30"; /* of the version, as in CHANGELOG.md */

void help_man(struct text *out) {
    text_add(out, ".TH TASKVEC 1 \"%s\" \"taskvec %s\" \"User Commands\"\n", DATE,
             version_number());
    text_add(out,
             ".SH NAME\ntaskvec \\- task vectors of in\\-context learners: training, fits, "
             "controls, tables\n%s.SH DESCRIPTION\n",
             SYNOPSIS);
    add_line(out, "", COMMAND_SUMMARY);
    add_block(out, COMMAND_FIRST_STEPS);
    text_add(out, ".SH COMMANDS\n\\fBtaskvec\\fR \\fICOMMAND\\fR \\fB\\-\\-help\\fR prints each "
                  "of these.\n");
    for (size_t i = 0; i < command_count(); i++) add_command(out, command_at(i));
    text_add(out, ".SH TOPICS\n\\fBtaskvec help\\fR \\fITOPIC\\fR explains each of these, and each "
                  "key of a config.\n");
    add_topics(out);
    add_exit_codes(out);
    text_add(out, "%s", END);
}
