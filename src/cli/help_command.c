/* help_command.c - `taskvec help TOPIC`: one screen on a command, stage, key or registry entry. */
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/help_artifacts.h"
#include "cli/help_completion.h"
#include "cli/help_keys.h"
#include "cli/help_man.h"
#include "cli/help_markdown.h"
#include "cli/help_registry.h"
#include "cli/help_text.h"
#include "stages/stage.h"

static void add_exit_codes(struct text *out) {
    struct text codes = {0};
#define X(name, number, rank, meaning)                                                             \
    text_add(&codes, "%s%d %s", codes.size ? "; " : "", number, meaning);
    EXIT_CODES(X)
#undef X
    if (codes.failed) out->failed = true;
    help_paragraph(out, "exit codes", text_str(&codes));
    text_release(&codes);
}

static void add_stage_names(struct text *out) {
    struct text names = {0};
    for (size_t i = 0; i < stage_count(); i++)
        text_add(&names, "%s%s", i > 0 ? " " : "", stage_at(i)->name);
    if (names.failed) out->failed = true;
    help_paragraph(out, "stages", text_str(&names));
    text_release(&names);
}

void help_overview(struct text *out) {
    text_add(out,
             "%s\n\n%s\ncommands (taskvec COMMAND --help: options; taskvec --version: revision, "
             "compiler, libraries)\n",
             COMMAND_SUMMARY, COMMAND_FIRST_STEPS);
    for (size_t i = 0; i < command_count(); i++) {
        const struct command *c = command_at(i);
        text_add(out, "  %-8s %-14s %s\n", c->name, c->arguments, c->meaning);
    }
    text_add(out, "\ntopics (taskvec help TOPIC)\n");
    add_stage_names(out);
    help_registry_names(out);
    help_paragraph(out, "keys",
                   "KEY or STAGE.KEY, such as points or fit.points; docs/config.md lists all");
    add_exit_codes(out);
}

/* ---- one topic */

static void add_command(struct text *out, const char *word) {
    const struct command *c = command_find(word);
    if (c) command_help(out, c);
}

/* Every page that `word` names. The last part of a key, or a group of keys, is looked up only if
 * nothing has the full name. */
static void add_pages(struct text *out, const struct stage_schemas *s, const char *word) {
    add_command(out, word);
    (void)help_stage(out, s, word);
    (void)help_registry(out, word);
    (void)help_key(out, s, word);
    (void)help_registry_choices(out, word);
    (void)help_syntax(out, word);
    if (out->size == 0) (void)help_key_ending(out, s, word);
    if (out->size == 0) (void)help_key_group(out, s, word);
}

/* All topics, to find the nearest one. A name may be there several times. */
struct topics {
    const char **names;
    size_t n;
};

static void add_topic(void *context, const char *name) {
    struct topics *t = context;
    t->names[t->n++] = name;
}

static void count_topic(void *context, const char *name) {
    (void)name;
    ++*(size_t *)context;
}

static size_t count_topics(const struct stage_schemas *s) {
    size_t n = command_count() + s->n;
    for (size_t i = 0; i < s->n; i++) n += s->schemas[i].n;
    help_registry_visit(count_topic, &n);
    return n;
}

static enum err_code collect_topics(struct topics *t, const struct stage_schemas *s,
                                    struct err *err) {
    *t = (struct topics){.names = calloc(count_topics(s), sizeof *t->names)};
    if (!t->names) return ERR(err, ERR_MEMORY, "no memory for the topics of help");
    for (size_t i = 0; i < command_count(); i++) add_topic(t, command_at(i)->name);
    for (size_t i = 0; i < s->n; i++) add_topic(t, s->names[i]);
    help_registry_visit(add_topic, t);
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = 0; j < s->schemas[i].n; j++) add_topic(t, s->schemas[i].rows[j]->name);
    return ERR_OK;
}

/* "fit.pionts": only keys of that stage can be meant. */
static enum err_code unknown_key(const struct config_schema *schema, const char *stage,
                                 const char *key, struct err *err) {
    enum err_code rc = ERR_OK;
    const char **names = calloc(schema->n + 1, sizeof *names);
    CHECK(names, ERR_MEMORY, "no memory for the topics of help");
    for (size_t i = 0; i < schema->n; i++) names[i] = schema->rows[i]->name;
    const char *nearest = text_nearest(key, names, schema->n);
    rc = nearest
             ? ERR(err, ERR_USAGE, "help: %s.%.60s: unknown key (did you mean %s.%s?)", stage, key,
                   stage, nearest)
             : ERR(err, ERR_USAGE, "help: %s.%.60s: unknown key; taskvec help %s lists the keys",
                   stage, key, stage);
cleanup:
    free(names);
    return rc;
}

static enum err_code unknown_topic(const struct stage_schemas *s, const char *word,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    struct topics t = {0};
    const size_t stage = help_key_stage(s, word);
    if (stage < s->n)
        return unknown_key(&s->schemas[stage], s->names[stage], word + strlen(s->names[stage]) + 1,
                           err);
    TRY(collect_topics(&t, s, err));
    const char *nearest = text_nearest(word, t.names, t.n);
    if (nearest)
        rc = ERR(err, ERR_USAGE, "help: %.60s: unknown topic (did you mean %s?)", word, nearest);
    else
        rc = ERR(err, ERR_USAGE, "help: %.60s: unknown topic; taskvec help lists the topics", word);
cleanup:
    free(t.names);
    return rc;
}

static enum err_code help_command(struct text *out, int *exit_code, const struct options *o,
                                  char *const *argv, struct err *err) {
    enum err_code rc = ERR_OK;
    struct stage_schemas schemas = {0};
    (void)exit_code, (void)argv;
    TRY(stage_schemas_init(&schemas, err));
    const char *shell = options_value(o, "--completion");
    if (options_has(o, "--markdown") && o->n_args > 0 && strcmp(o->args[0], "artifacts") == 0) {
        help_artifacts(out);
    } else if (options_has(o, "--markdown")) {
        help_markdown(out, &schemas);
    } else if (options_has(o, "--man")) {
        help_man(out);
    } else if (shell) {
        TRY(help_completion(out, &schemas, shell, err));
    } else if (o->n_args == 0) {
        help_overview(out);
    } else {
        add_pages(out, &schemas, o->args[0]);
        if (out->size == 0) rc = unknown_topic(&schemas, o->args[0], err);
    }
cleanup:
    stage_schemas_release(&schemas);
    return rc;
}

static const struct option_row OPTIONS[] = {
    {"--markdown", NULL, NULL,
     "print every key by stage, as in docs/config.md; `artifacts`: the tables of docs/results.md"},
    {"--man", NULL, NULL, "print the man page taskvec(1)"},
    {"--completion", NULL, "SHELL", "print completion of the command line for bash or zsh"},
};

static const char MORE[] =
    "TOPIC: a command, a stage, a key (points, fit.points, optimiser.lr), the last part of a key\n"
    "(lr), a group of keys (optimiser), a method, control, problem, shift or estimator, or one of\n"
    "`methods`, `controls`, ... for a list. Without TOPIC: an overview.\n"
    "\n"
    "  taskvec help fit\n"
    "  taskvec help fit.points\n"
    "  taskvec help ltv\n";

const struct command COMMAND_HELP = {
    .name = "help",
    .arguments = "[TOPIC]",
    .meaning = "explain a command, stage, key, method, problem, shift or estimator",
    .more = MORE,
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .least_args = 0,
    .most_args = 1,
    .run = help_command,
};
