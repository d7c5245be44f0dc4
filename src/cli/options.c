#include "cli/options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option_row *find_row(const struct option_row *rows, size_t n, const char *word,
                                         size_t size) {
    for (size_t i = 0; i < n; i++) {
        if (strncmp(rows[i].name, word, size) == 0 && rows[i].name[size] == '\0') return &rows[i];
        if (rows[i].brief && strncmp(rows[i].brief, word, size) == 0 && rows[i].brief[size] == '\0')
            return &rows[i];
    }
    return NULL;
}

/* Options that other programs have, or that another command has, and what to write instead. */
static const struct {
    const char *command;
    const char *words[4];
    const char *hint;
} HINTS[] = {
    {"run",
     {"--resume", "--restart", "--continue"},
     "the same command resumes a run: omit the option"},
    {"run",
     {"-n", "-np", "--ranks", "-j"},
     "the launcher sets the number of ranks: mpirun -n N taskvec run CFG"},
    {"run", {"--dry-run"}, "taskvec plan CFG shows what would run"},
    {"table", {"--csv"}, "write --format csv"},
    {"table", {"--json"}, "write --format json"},
    {"table", {"--markdown", "--md"}, "write --format markdown"},
    {"table", {"--latex", "--tex"}, "write --format latex"},
    {"plan", {"-n", "-np", "--ranks", "-j"}, "a plan is the same for any number of ranks"},
};

/* size: of the word without "=VALUE". */
static const char *hint_for(const char *command, const char *word, size_t size) {
    for (size_t i = 0; i < sizeof HINTS / sizeof *HINTS; i++) {
        if (strcmp(HINTS[i].command, command) != 0) continue;
        for (size_t k = 0; k < 4 && HINTS[i].words[k]; k++)
            if (strncmp(HINTS[i].words[k], word, size) == 0 && HINTS[i].words[k][size] == '\0')
                return HINTS[i].hint;
    }
    return NULL;
}

static enum err_code unknown_option(const struct option_row *rows, size_t n, const char *command,
                                    const char *word, size_t size, struct err *err) {
    const char *hint = hint_for(command, word, size);
    if (hint)
        return ERR(err, ERR_USAGE, "%s: unknown option %.*s: %s", command, (int)size, word, hint);
    const char *names[64] = {"--help"};
    size_t n_names = 1;
    for (size_t i = 0; i < n && n_names < 64; i++) names[n_names++] = rows[i].name;
    const char *nearest = text_nearest(word, names, n_names);
    if (nearest)
        return ERR(err, ERR_USAGE, "%s: unknown option %.60s (did you mean %s?)", command, word,
                   nearest);
    return ERR(err, ERR_USAGE, "%s: unknown option %.60s; see taskvec %s --help", command, word,
               command);
}

/* words[*at] is an option; its value follows '=' or is the next word. */
static enum err_code parse_option(struct options *out, const struct option_row *rows, size_t n_rows,
                                  const char *command, int n_words, char *const *words, int *at,
                                  struct err *err) {
    const char *word = words[*at], *equals = strncmp(word, "--", 2) == 0 ? strchr(word, '=') : NULL;
    const size_t size = equals ? (size_t)(equals - word) : strlen(word);
    const struct option_row *row = find_row(rows, n_rows, word, size);
    if (!row) return unknown_option(rows, n_rows, command, word, size, err);
    if (!row->value && equals)
        return ERR(err, ERR_USAGE, "%s: %s takes no value", command, row->name);
    const char *value = equals ? equals + 1 : "";
    if (row->value && !equals) {
        if (*at + 1 >= n_words)
            return ERR(err, ERR_USAGE, "%s: %s needs a value: %s %s", command, word, word,
                       row->value);
        value = words[++*at];
    }
    out->given[out->n_given] = row;
    out->values[out->n_given++] = value;
    return ERR_OK;
}

enum err_code options_parse(struct options *out, const struct option_row *rows, size_t n_rows,
                            const char *command, int n_words, char *const *words, struct err *err) {
    enum err_code rc = ERR_OK;
    bool ended = false;
    *out = (struct options){0};
    CHECK(n_words < OPTIONS_MAX, ERR_USAGE, "%s: %d words are more than the limit of %d", command,
          n_words, OPTIONS_MAX);
    for (int i = 0; i < n_words; i++) {
        if (!ended && strcmp(words[i], "--") == 0) {
            ended = true;
        } else if (!ended && words[i][0] == '-' && words[i][1] != '\0') {
            TRY(parse_option(out, rows, n_rows, command, n_words, words, &i, err));
        } else {
            out->args[out->n_args++] = words[i];
        }
    }
cleanup:
    return rc;
}

const char *options_value(const struct options *o, const char *name) {
    const char *value = NULL;
    for (size_t i = 0; i < o->n_given; i++)
        if (strcmp(o->given[i]->name, name) == 0) value = o->values[i];
    return value;
}

bool options_has(const struct options *o, const char *name) {
    return options_value(o, name) != NULL;
}

size_t options_values(const char **out, const struct options *o, const char *name) {
    size_t n = 0;
    for (size_t i = 0; i < o->n_given; i++)
        if (strcmp(o->given[i]->name, name) == 0) out[n++] = o->values[i];
    return n;
}

enum err_code options_arithmetic(enum arithmetic *out, const struct options *o, struct err *err) {
    const char *name = options_value(o, "--arithmetic");
    *out = name ? arithmetic_named(name) : ARITHMETIC_F32;
    if (!name || strcmp(arithmetic_name(*out), name) == 0) return ERR_OK;
    return ERR(err, ERR_USAGE, "--arithmetic: expected f32, bf16x3, bf16x2 or bf16, got \"%s\"",
               name);
}

void options_help(struct text *out, const struct option_row *rows, size_t n_rows) {
    for (size_t i = 0; i < n_rows; i++) {
        char left[64];
        (void)snprintf(left, sizeof left, "%s%s%s%s%s", rows[i].brief ? rows[i].brief : "",
                       rows[i].brief ? ", " : "", rows[i].name, rows[i].value ? " " : "",
                       rows[i].value ? rows[i].value : "");
        text_add(out, "  %-24s %s\n", left, rows[i].meaning);
    }
}

/* Up to three numbers between colons; returns how many, 0 for anything else. */
static int colon_numbers(unsigned long out[3], const char *text) {
    int n = 0;
    for (const char *at = text; n < 3;) {
        char *end = NULL;
        if (*at < '0' || *at > '9' || strlen(at) > 12) return 0;
        out[n++] = strtoul(at, &end, 10);
        if (*end == '\0') return n;
        if (*end != ':') return 0;
        at = end + 1;
    }
    return 0;
}

enum err_code options_time(double *seconds, const char *text, struct err *err) {
    unsigned long part[3] = {0}, days = 0;
    const char *dash = strchr(text, '-'), *rest = text;
    if (strcmp(text, "UNLIMITED") == 0) {
        *seconds = (double)INFINITY;
        return ERR_OK;
    }
    bool good = true;
    if (dash) {
        char *end = NULL;
        days = strtoul(text, &end, 10);
        good = text[0] >= '0' && text[0] <= '9' && end == dash;
        rest = dash + 1;
    }
    const int n = colon_numbers(part, rest);
    if (!good || n == 0)
        return ERR(err, ERR_USAGE, "time \"%s\": expected seconds, MM:SS, HH:MM:SS or D-HH:MM:SS",
                   text);
    if (dash || n == 3) /* starts with hours */
        *seconds = 86400.0 * (double)days + 3600.0 * (double)part[0] + 60.0 * (double)part[1] +
                   (double)part[2];
    else
        *seconds = n == 2 ? 60.0 * (double)part[0] + (double)part[1] : (double)part[0];
    if (*seconds > 0.0) return ERR_OK;
    return ERR(err, ERR_USAGE, "time \"%s\": expected more than 0", text);
}

enum err_code options_bytes(double *bytes, const char *text, struct err *err) {
    static const char units[] = "KMGT";
    char *end = NULL;
    const double value = strtod(text, &end);
    double scale = 1.0;
    const char *unit = *end ? strchr(units, *end) : NULL;
    if (unit) {
        scale = pow(1024.0, (double)(unit - units) + 1.0);
        end++;
    }
    if (end == text || *end || !(value > 0.0) || !isfinite(value * scale))
        return ERR(err, ERR_USAGE, "size \"%s\": expected bytes, such as 1500000, 512M or 2.5G",
                   text);
    *bytes = value * scale;
    return ERR_OK;
}
