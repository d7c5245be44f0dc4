#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/example_files.h"
#include "cli/help_text.h"
#include "run/reproduce/reproduced.h"

static const struct option_row OPTIONS[] = {
    {"--scale", NULL, "SCALE", "small, paper or published (default: the first that NAME has)"},
    {"--output", "-o", "DIR", "folder of the run (default results/reproduce/NAME-SCALE)"},
    {"--model", NULL, "FILE", "another model in place of that of the scale"},
    {"--reference", NULL, "DIR",
     "folder of the files of reference numbers (default: TASKVEC_FIXTURES)"},
    {"--set", "-s", "KEY=VALUE", "override a key of the config; repeatable"},
    {"--max-time", NULL, "TIME", "stop before this limit, as of run"},
    {"--points", NULL, NULL, "a line for every k of a curve, in place of the farthest one"},
    {"--quiet", NULL, NULL, "no progress of the run"},
    {"--list", NULL, NULL, "list what can be reproduced, and at which scales"},
};

/* ---- names */

static enum err_code list_one(struct text *out, const struct example_files *e, size_t i,
                              struct err *err) {
    enum err_code rc = ERR_OK;
    char path[2 * FILE_PATH_MAX];
    struct reproduction r = {0};
    struct text words = {0};
    (void)snprintf(path, sizeof path, "%s/%s%s", e->root, e->names[i], e->ending);
    TRY(reproduction_open(&r, path, err));
    text_add(&words, "%s (", r.meaning);
    reproduction_scale_names(&words, &r);
    text_add(&words, ")");
    TRY(text_check(&words, err));
    help_row(out, e->names[i], text_str(&words));
cleanup:
    text_release(&words);
    reproduction_close(&r);
    return rc;
}

static enum err_code list_all(struct text *out, struct err *err) {
    enum err_code rc = ERR_OK;
    struct example_files e = {.n = 0};
    TRY(example_files_open_reproductions(&e, err));
    for (size_t i = 0; i < e.n; i++) TRY(list_one(out, &e, i, err));
cleanup:
    example_files_release(&e);
    return rc;
}

/* A name of the list, or the path of a file of one's own. */
static enum err_code find_file(char path[FILE_PATH_MAX], const char *name, struct err *err) {
    enum err_code rc = ERR_OK;
    struct example_files e = {.n = 0};
    const bool own = text_ends_with(name, ".json");
    bool known = false;
    TRY(example_files_open_reproductions(&e, err));
    for (size_t i = 0; i < e.n; i++) known = known || strcmp(e.names[i], name) == 0;
    if (!own && !known) {
        const char *nearest = text_nearest(name, (const char *const *)e.names, e.n);
        rc =
            nearest
                ? ERR(err, ERR_USAGE, "reproduce: %.60s: unknown (did you mean %s?)", name, nearest)
                : ERR(err, ERR_USAGE, "reproduce: %.60s: unknown; --list shows the names", name);
        goto cleanup;
    }
    const int n = own ? snprintf(path, FILE_PATH_MAX, "%s", name)
                      : snprintf(path, FILE_PATH_MAX, "%s/%s%s", e.root, name, e.ending);
    CHECK(n > 0 && n < FILE_PATH_MAX, ERR_USAGE, "%.60s...: the path is too long", name);
cleanup:
    example_files_release(&e);
    return rc;
}

/* ---- the run */

enum { WORD_SIZE = FILE_PATH_MAX + 32 };

struct run_words { /* a command line of `run` */
    char *words[OPTIONS_MAX + 1];
    size_t n;
    bool failed; /* no memory, or too many words */
};

static void add_word(struct run_words *w, const char *word) {
    if (w->n >= OPTIONS_MAX) w->failed = true;
    if (w->failed) return;
    w->words[w->n] = text_copy(word);
    w->failed = !w->words[w->n];
    w->n += !w->failed;
}

static void release_words(struct run_words *w) {
    for (size_t i = 0; i < w->n; i++) free(w->words[i]);
    w->n = 0;
}

static enum err_code add_sets(struct run_words *w, const struct reproduction *r,
                              const struct reproduction_scale *s, const struct options *o,
                              struct err *err) {
    enum err_code rc = ERR_OK;
    const char *sets[OPTIONS_MAX];
    const size_t n = options_values(sets, o, "--set");
    const char *model = options_value(o, "--model"), *word;
    char key[WORD_SIZE];
    if (!model && *s->model) model = s->model;
    if (model) {
        CHECK(file_exists(model), ERR_CONFIG, "%s: there is no such model%s%s", model,
              *s->made_by ? "; it comes from: " : "", s->made_by);
        (void)snprintf(key, sizeof key, "model.checkpoint=%s", model);
        add_word(w, "-s"), add_word(w, key);
    }
    for (size_t i = 0; i < json_count(s->set); i++) {
        TRY(json_read_text(&word, json_item(s->set, i), r->path, err));
        add_word(w, "-s"), add_word(w, word);
    }
    for (size_t i = 0; i < n; i++) add_word(w, "-s"), add_word(w, sets[i]);
cleanup:
    return rc;
}

static enum err_code make_words(struct run_words *w, const char *dir, const struct reproduction *r,
                                const struct reproduction_scale *s, const struct options *o,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    const char *max_time = options_value(o, "--max-time");
    add_word(w, "taskvec"), add_word(w, "run"), add_word(w, s->config);
    add_word(w, "-o"), add_word(w, dir);
    TRY(add_sets(w, r, s, o, err));
    if (max_time) add_word(w, "--max-time"), add_word(w, max_time);
    if (options_has(o, "--quiet")) add_word(w, "--quiet");
    CHECK(!w->failed, ERR_MEMORY, "no memory for the command line of the run");
cleanup:
    return rc;
}

/* `taskvec run` with the config of the scale: what is finished in DIR does not run again. */
static enum err_code run_config(struct text *out, int *exit_code, const char *dir,
                                const struct reproduction *r, const struct reproduction_scale *s,
                                const struct options *o, struct err *err) {
    enum err_code rc = ERR_OK;
    struct run_words w = {.n = 0};
    struct options *run = malloc(sizeof *run);
    CHECK(run, ERR_MEMORY, "no memory for the command line of the run");
    TRY(make_words(&w, dir, r, s, o, err));
    TRY(options_parse(run, COMMAND_RUN.options, COMMAND_RUN.n_options, "run", (int)w.n - 2,
                      w.words + 2, err));
    TRY(COMMAND_RUN.run(out, exit_code, run, w.words, err));
cleanup:
    release_words(&w);
    free(run);
    return rc;
}

static enum err_code folder_of(char dir[FILE_PATH_MAX], const struct reproduction *r,
                               const struct reproduction_scale *s, const struct options *o,
                               struct err *err) {
    const char *given = options_value(o, "--output"), *slash = strrchr(r->path, '/');
    const char *name = slash ? slash + 1 : r->path;
    const int n = given ? snprintf(dir, FILE_PATH_MAX, "%s", given)
                        : snprintf(dir, FILE_PATH_MAX, "results/reproduce/%.*s-%s",
                                   (int)strcspn(name, "."), name, s->name);
    if (n > 0 && n < FILE_PATH_MAX) return ERR_OK;
    return ERR(err, ERR_USAGE, "--output %.60s...: the path is too long", given ? given : name);
}

/* ---- */

static enum err_code compare(struct text *out, int *exit_code, const struct reproduction *r,
                             const struct reproduction_scale *s, const char *dir,
                             const struct options *o, struct err *err) {
    enum err_code rc = ERR_OK;
    struct reproduced lines = {0};
    const char *reference = options_value(o, "--reference");
    bool failed = false;
    if (!reference) reference = getenv("TASKVEC_FIXTURES");
    if (*s->config)
        TRY(reproduced_from_run(&lines, r, s, dir, options_has(o, "--points"), err));
    else
        TRY(reproduced_from_files(&lines, r, s, reference, err));
    text_add(out, "\n%s\nscale %s%s%s\n\n", r->meaning, s->name, *s->source ? "; reference: " : "",
             s->source);
    TRY(reproduced_print(out, &failed, &lines, err));
    if (failed) *exit_code = err_exit_code(ERR_DIFFERS);
cleanup:
    reproduced_release(&lines);
    return rc;
}

static enum err_code reproduce(struct text *out, int *exit_code, const struct options *o,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    char path[FILE_PATH_MAX], dir[FILE_PATH_MAX];
    struct reproduction r = {0};
    struct reproduction_scale s;
    TRY(find_file(path, o->args[0], err));
    TRY(reproduction_open(&r, path, err));
    TRY(reproduction_find_scale(&s, &r, options_value(o, "--scale"), err));
    TRY(folder_of(dir, &r, &s, o, err));
    if (*s.config) TRY(run_config(out, exit_code, dir, &r, &s, o, err));
    if (*exit_code == 0 && !command_is_silent_rank())
        TRY(compare(out, exit_code, &r, &s, dir, o, err));
cleanup:
    reproduction_close(&r);
    return rc;
}

static enum err_code reproduce_command(struct text *out, int *exit_code, const struct options *o,
                                       char *const *argv, struct err *err) {
    (void)argv;
    if (options_has(o, "--list")) return list_all(out, err);
    if (o->n_args == 1) return reproduce(out, exit_code, o, err);
    return ERR(err, ERR_USAGE, "reproduce: expected NAME, or --list");
}

const struct command COMMAND_REPRODUCE = {
    .name = "reproduce",
    .arguments = "NAME",
    .meaning = "run what a published table or figure needs, and compare with its numbers",
    .more = "  taskvec reproduce --list\n"
            "  mpirun -n 2 taskvec reproduce garg_linear --scale small\n"
            "\n"
            "Prints our value, the reference where one is published, the tolerance, and PASS, FAIL "
            "or no\nreference. Exit code 1 where a value is FAIL. NAME may be a file NAME.json of "
            "one's own;\ndocs/reproduce.md has its format.\n",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .least_args = 0,
    .most_args = 1,
    .run = reproduce_command,
};
