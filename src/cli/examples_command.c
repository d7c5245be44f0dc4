#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/example_copy.h"
#include "cli/help_text.h"

static enum err_code list_examples(struct text *out, const struct example_files *e,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    struct text meaning = {0};
    for (size_t i = 0; i < e->n; i++) {
        text_clear(&meaning);
        TRY(example_files_meaning(&meaning, e, i, err));
        help_row(out, e->names[i], text_str(&meaning));
    }
    TRY(text_check(&meaning, err));
cleanup:
    text_release(&meaning);
    return rc;
}

/* word: a name, with or without ".cfg". */
static enum err_code find_example(const char **name, const struct example_files *e,
                                  const char *word, struct err *err) {
    const size_t n = strlen(word), m = text_ends_with(word, ".cfg") ? n - strlen(".cfg") : n;
    for (size_t i = 0; i < e->n; i++) {
        *name = e->names[i];
        if (strlen(*name) == m && strncmp(*name, word, m) == 0) return ERR_OK;
    }
    const char *nearest = text_nearest(word, (const char *const *)e->names, e->n);
    for (size_t i = 0; i < e->n && !nearest; i++) { /* "linear" of controls/linear */
        const char *slash = strrchr(e->names[i], '/');
        if (slash && strcmp(slash + 1, word) == 0) nearest = e->names[i];
    }
    if (nearest)
        return ERR(err, ERR_USAGE, "examples: %s: unknown example (did you mean %s?)", word,
                   nearest);
    return ERR(err, ERR_USAGE, "examples: %s: unknown example; taskvec examples lists them", word);
}

static enum err_code examples_command(struct text *out, int *exit_code, const struct options *o,
                                      char *const *argv, struct err *err) {
    enum err_code rc = ERR_OK;
    struct example_files e = {.n = 0};
    const char *name = NULL;
    (void)exit_code, (void)argv;
    CHECK(o->n_args != 1, ERR_USAGE, "examples: expected NAME DIR, or nothing for a list");
    TRY(example_files_open(&e, err));
    if (o->n_args == 0) {
        TRY(list_examples(out, &e, err));
        goto cleanup;
    }
    TRY(find_example(&name, &e, o->args[0], err));
    TRY(example_copy(out, &e, name, o->args[1], err));
    text_add(out, "next: cd %s && taskvec plan %s.cfg\n", o->args[1], name);
cleanup:
    example_files_release(&e);
    return rc;
}

const struct command COMMAND_EXAMPLES = {
    .name = "examples",
    .arguments = "[NAME DIR]",
    .meaning = "list the shipped configs, or copy one with all that it reads",
    .more =
        "Into DIR go the config, those it is based on, and the models and text tasks that they\n"
        "read, so that it runs there.\n",
    .least_args = 0,
    .most_args = 2,
    .run = examples_command,
};
