#include "cli/commands.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/bench_dispatch.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "ops/blas.h"
#include "par/farm.h"
#include "run/plan/job_message.h"
#include "run/rundir/provenance.h"

static const struct command *const COMMANDS[] = {
    &COMMAND_PLAN,      &COMMAND_RUN,      &COMMAND_STATUS, &COMMAND_TABLE,  &COMMAND_REPORT,
    &COMMAND_REPRODUCE, &COMMAND_VERIFY,   &COMMAND_DIGEST, &COMMAND_FSCK,   &COMMAND_EXPLAIN,
    &COMMAND_ARTIFACT,  &COMMAND_EXAMPLES, &COMMAND_BENCH,  &COMMAND_DOCTOR, &COMMAND_TOKENIZE,
    &COMMAND_GENERATE,  &COMMAND_HELP};
enum { N_COMMANDS = sizeof COMMANDS / sizeof *COMMANDS };

const char COMMAND_SUMMARY[] =
    "taskvec trains transformers that learn functions in context, fits task vectors to them, and\n"
    "measures how much of the error on long prompts each vector and each control removes.";

const char COMMAND_FIRST_STEPS[] =
    "  taskvec plan experiments/quickstart.cfg              show what would run\n"
    "  mpirun -n 2 taskvec run experiments/quickstart.cfg   run or resume, on any number of ranks\n"
    "  taskvec table results/quickstart                     print the main table\n";

size_t command_count(void) { return N_COMMANDS; }

const struct command *command_at(size_t i) {
    assert(i < N_COMMANDS);
    return COMMANDS[i];
}

const struct command *command_find(const char *name) {
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(name, COMMANDS[i]->name) == 0) return COMMANDS[i];
    return NULL;
}

static void add_benches(struct text *out) {
    for (size_t i = 0; i < bench_count(); i++)
        text_add(out, "  %-10s %s\n", bench_at(i)->name, bench_at(i)->meaning);
}

void command_remarks(struct text *out, const struct command *c) {
    if (c == &COMMAND_BENCH) add_benches(out);
    if (c->more) text_add(out, "%s%s", out->size ? "\n" : "", c->more);
}

void command_help(struct text *out, const struct command *c) {
    struct text remarks = {0};
    text_add(out, "usage: taskvec %s %s%s\n  %s\n", c->name, c->arguments,
             c->n_options ? " [OPTIONS]" : "", c->meaning);
    if (c->n_options) text_add(out, "\n");
    options_help(out, c->options, c->n_options);
    command_remarks(&remarks, c);
    if (remarks.size) text_add(out, "\n%s", text_str(&remarks));
    if (remarks.failed) out->failed = true;
    text_release(&remarks);
}

static enum err_code unknown_command(const char *word, struct err *err) {
    const char *names[N_COMMANDS];
    for (size_t i = 0; i < N_COMMANDS; i++) names[i] = COMMANDS[i]->name;
    const char *nearest = text_nearest(word, names, N_COMMANDS);
    if (nearest)
        return ERR(err, ERR_USAGE, "%.60s: unknown command (did you mean %s?)", word, nearest);
    return ERR(err, ERR_USAGE, "%.60s: unknown command; taskvec --help lists them", word);
}

static enum err_code too_many(const struct command *c, const char *word, struct err *err) {
    bool sets = false;
    for (size_t i = 0; i < c->n_options; i++)
        sets = sets || strcmp(c->options[i].name, "--set") == 0;
    if (sets && strchr(word, '='))
        return ERR(err, ERR_USAGE,
                   "%s: \"%s\" is one argument too many; to override a key write "
                   "-s %s",
                   c->name, word, word);
    return ERR(err, ERR_USAGE, "%s: \"%s\" is one argument too many; expected %s", c->name, word,
               c->arguments);
}

static bool wants_help(int n, char *const *words) {
    for (int i = 0; i < n && strcmp(words[i], "--") != 0; i++)
        if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0) return true;
    return false;
}

static enum err_code run_command(struct text *out, int *exit_code, int argc, char **argv,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    const struct command *c = command_find(argv[1]);
    struct options o;
    if (!c) return unknown_command(argv[1], err);
    if (wants_help(argc - 2, argv + 2)) {
        command_help(out, c);
        return ERR_OK;
    }
    TRY(options_parse(&o, c->options, c->n_options, c->name, argc - 2, argv + 2, err));
    CHECK(o.n_args >= c->least_args, ERR_USAGE, "%s: expected %s; see taskvec %s --help", c->name,
          c->arguments, c->name);
    if (o.n_args > c->most_args) TRY(too_many(c, o.args[c->most_args], err));
    TRY(c->run(out, exit_code, &o, argv, err));
cleanup:
    return rc;
}

static enum err_code dispatch(struct text *out, int *exit_code, int argc, char **argv,
                              struct err *err) {
    if (argc < 2) {
        help_overview(out);
        *exit_code = err_exit_code(ERR_USAGE);
        return ERR_OK;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        help_overview(out);
        return ERR_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        provenance_versions(out);
        return ERR_OK;
    }
    return run_command(out, exit_code, argc, argv, err);
}

bool command_is_silent_rank(void) {
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    if (!rank) rank = getenv("PMIX_RANK");
    return rank && strcmp(rank, "0") != 0;
}

/* A compute child computes the job of a message: of a plan, or empty (`bench dispatch`). */
static enum err_code compute(const char *message, struct job_ctx *ctx, void *context,
                             struct err *err) {
    if (strcmp(message, DISPATCH_NOTHING) == 0) return ERR_OK;
    return job_message_compute(message, ctx, context, err);
}

int run_main(int argc, char **argv) {
    struct err err = {0}, late = {0};
    struct text out = {0};
    int exit_code = 0;
    blas_init();
    (void)signal(SIGXFSZ,
                 SIG_IGN); /* exceeding a limit on file sizes becomes an error of write() */
    if (argc == 3 && strcmp(argv[1], "--child") == 0)
        return farm_child(atoi(argv[2]), compute, NULL);
    enum err_code rc = dispatch(&out, &exit_code, argc, argv, &err);
    if (terminal_write(&out, &late) != ERR_OK && rc == ERR_OK) rc = late.code, err = late;
    text_release(&out);
    if (rc == ERR_OK) return exit_code;
    if (!command_is_silent_rank()) (void)fprintf(stderr, "taskvec: %s\n", err.msg);
    return err_exit_code(rc);
}
