#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/plan_print.h"
#include "journal/journal.h"
#include "run/rundir/run_state.h"
#include "run/rundir/rundir.h"

static const struct option_row OPTIONS[] = {
    {"--set", "-s", "KEY=VALUE", "override a key: -s fit.points=[16,26] -s seed=3; repeatable"},
    {"--output", "-o", "DIR", "the run whose states are shown (default results/NAME)"},
    {"--json", NULL, NULL, "print JSON; memory_per_rank is in bytes"},
    {"--csv", NULL, NULL, "print CSV, one line for each job"},
    {"--resolved", NULL, NULL, "print the config with every default; the output is a valid config"},
};

/* The states by the journal of the run's directory, if there is one. */
static enum err_code states_of(struct run_state_job *states, const struct plan *p, const char *dir,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    struct history history = {0};
    struct lock_holder holder;
    size_t count[QUEUE_BLOCKED + 1];
    if (file_exists(dir)) TRY(journal_history(&history, dir, err));
    lock_look(&holder, dir);
    run_state_states(states, count, p, &history, dir, holder.alive);
cleanup:
    history_release(&history);
    return rc;
}

static enum err_code print_plan(struct text *out, const struct plan *p, const char *dir,
                                const struct options *o, struct err *err) {
    enum err_code rc = ERR_OK;
    struct plan_totals totals;
    struct run_state_job *states = calloc(p->n_jobs + 1, sizeof *states);
    CHECK(states, ERR_MEMORY, "no memory for %zu jobs", p->n_jobs);
    TRY(states_of(states, p, dir, err));
    TRY(plan_totals(&totals, p, states, err));
    if (options_has(o, "--json")) {
        TRY(plan_print_json(out, p, states, &totals, err));
    } else if (options_has(o, "--csv")) {
        TRY(plan_print(out, p, states, &totals, TABLE_CSV, err));
    } else {
        TRY(plan_print(out, p, states, &totals, TABLE_TEXT, err));
        plan_print_totals(out, p, &totals);
    }
cleanup:
    free(states);
    return rc;
}

static enum err_code plan_command(struct text *out, int *exit_code, const struct options *o,
                                  char *const *argv, struct err *err) {
    enum err_code rc = ERR_OK;
    struct stage_schemas schemas = {0};
    struct config *config = NULL;
    struct plan plan = {0};
    char dir[FILE_PATH_MAX];
    const char *sets[OPTIONS_MAX];
    const size_t n_sets = options_values(sets, o, "--set");
    (void)argv;
    (void)exit_code;
    CHECK(options_has(o, "--json") + options_has(o, "--csv") + options_has(o, "--resolved") <= 1,
          ERR_USAGE, "plan: --json, --csv and --resolved exclude each other: give one");
    TRY(stage_schemas_init(&schemas, err));
    TRY(stage_schemas_open(&config, &schemas, o->args[0], sets, n_sets, err));
    TRY(plan_make(&plan, config, err));
    TRY(rundir_name(dir, config, options_value(o, "--output"), err));
    if (options_has(o, "--resolved"))
        config_print(out, config);
    else
        TRY(print_plan(out, &plan, dir, o, err));
cleanup:
    plan_release(&plan);
    config_close(config);
    stage_schemas_release(&schemas);
    return rc;
}

const struct command COMMAND_PLAN = {
    .name = "plan",
    .arguments = "CFG",
    .meaning = "show what would run: jobs, memory, predicted cost",
    .more = "The line number of a job is the N of TASKVEC_INJECT=KIND@job:N.\n"
            "Keys of a config: taskvec help STAGE, taskvec help KEY, docs/config.md\n",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .least_args = 1,
    .most_args = 1,
    .run = plan_command,
};
