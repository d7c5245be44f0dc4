#include <stdlib.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/plan_print.h"
#include "cli/plan_summary.h"
#include "cli/terminal.h"
#include "journal/journal.h"
#include "run/rundir/config_change.h"
#include "run/rundir/run_state.h"
#include "run/rundir/rundir.h"

static const struct option_row OPTIONS[] = {
    {"--set", "-s", "KEY=VALUE", "override a key: -s fit.points=[16,26] -s seed=3; repeatable"},
    {"--output", "-o", "DIR", "the run whose states are shown (default results/NAME)"},
    {"--json", NULL, NULL, "print JSON; memory_per_rank is in bytes"},
    {"--csv", NULL, NULL, "print CSV, one line for each job"},
    {"--summary", NULL, NULL, "print ten lines: jobs, core time, memory, speed"},
    {"--resolved", NULL, NULL, "print the config with every default; the output is a valid config"},
};

/* The states by the journal of the run's directory, if there is one. They point into *history. */
static enum err_code states_of(struct run_state_job *states, struct history *history,
                               const struct plan *p, const char *dir, struct err *err) {
    enum err_code rc = ERR_OK;
    struct lock_holder holder;
    size_t count[QUEUE_BLOCKED + 1];
    if (file_exists(dir)) TRY(journal_history(history, dir, err));
    lock_look(&holder, dir);
    run_state_states(states, count, p, history, dir, holder.alive);
cleanup:
    return rc;
}

static enum err_code print_plan(struct text *out, const struct plan *p, const char *dir,
                                const struct plan_notes *notes, const struct options *o,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    struct plan_totals totals = {0};
    struct history history = {0};
    struct run_state_job *states = calloc(p->n_jobs + 1, sizeof *states);
    CHECK(states, ERR_MEMORY, "no memory for %zu jobs", p->n_jobs);
    TRY(states_of(states, &history, p, dir, err));
    TRY(plan_totals_make(&totals, p, states, err));
    if (options_has(o, "--json")) {
        TRY(plan_print_json(out, p, states, &totals, notes, err));
    } else if (options_has(o, "--summary")) {
        plan_summary_print(out, p, &totals, notes, dir);
    } else if (options_has(o, "--csv")) {
        TRY(plan_print(out, p, states, &totals, TABLE_CSV, err));
    } else {
        TRY(plan_print(out, p, states, &totals, TABLE_TEXT, err));
        plan_print_totals(out, p, &totals);
    }
cleanup:
    plan_totals_release(&totals);
    free(states);
    history_release(&history);
    return rc;
}

/* What `run` would refuse because the folder holds another run, or would change in it. */
static enum err_code note_owner(struct plan_notes *notes, const char *dir, const struct plan *p,
                                const struct stage_schemas *schemas, struct err *err) {
    enum err_code rc = ERR_OK;
    struct config_change change;
    struct err note = {0};
    struct text text = {0};
    config_change_find(&change, dir, p, schemas);
    config_change_describe(&text, &change, dir);
    TRY(text_check(&text, err));
    if (config_change_check_owner(&change, dir, p, &note) == ERR_OK && text.size > 0)
        (void)ERR(&note, ERR_CONFIG, "%s", text_str(&text));
    if (note.code != ERR_OK) TRY(plan_notes_add(notes, &note, err));
cleanup:
    text_release(&text);
    return rc;
}

/* Writes the plan first, so that a long one does not scroll the notes away. */
static enum err_code print_notes(struct text *out, const struct plan_notes *notes,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    const struct log log = {.level = LOG_INFO};
    if (notes->n == 0) return ERR_OK;
    TRY(terminal_write(out, err));
    text_clear(out);
    for (size_t i = 0; i < notes->n; i++) log_line(&log, LOG_INFO, "note: %s", notes->items[i]);
cleanup:
    return rc;
}

static enum err_code plan_command(struct text *out, int *exit_code, const struct options *o,
                                  char *const *argv, struct err *err) {
    enum err_code rc = ERR_OK;
    struct stage_schemas schemas = {0};
    struct config *config = NULL;
    struct plan plan = {0};
    struct plan_notes notes = {0};
    char dir[FILE_PATH_MAX];
    size_t copies = 0;
    const char *sets[OPTIONS_MAX];
    const struct rundir_config c = {o->args[0], sets, options_values(sets, o, "--set"),
                                    options_value(o, "--output")};
    (void)argv;
    (void)exit_code;
    CHECK(options_has(o, "--json") + options_has(o, "--csv") + options_has(o, "--summary") +
                  options_has(o, "--resolved") <=
              1,
          ERR_USAGE, "plan: --json, --csv, --summary and --resolved exclude each other: give one");
    TRY(stage_schemas_init(&schemas, err));
    TRY(rundir_open_config(&config, dir, &copies, &schemas, &c, err));
    TRY(plan_make(&plan, config, err));
    TRY(plan_notes_make(&notes, &plan, err));
    TRY(rundir_note_copies(&notes, dir, copies, err));
    TRY(note_owner(&notes, dir, &plan, &schemas, err));
    if (options_has(o, "--resolved"))
        config_print(out, config);
    else
        TRY(print_plan(out, &plan, dir, &notes, o, err));
    TRY(print_notes(out, &notes, err));
cleanup:
    plan_notes_release(&notes);
    plan_release(&plan);
    config_close(config);
    stage_schemas_release(&schemas);
    return rc;
}

const struct command COMMAND_PLAN = {
    .name = "plan",
    .arguments = "CFG",
    .meaning = "show what would run: jobs, memory, predicted cost",
    .more =
        "The time of jobs is predicted from a calibration of this machine (2 s at most, cached\n"
        "for a week by host, build and BLAS kernel in $XDG_CACHE_HOME or ~/.cache) and from the\n"
        "jobs of the run that are done, by their processor time. Contexts are assumed to fit the\n"
        "memory.\n"
        "Notes on standard error (and in --json) name what may be a slip in the config.\n"
        "The line number of a job is the N of TASKVEC_INJECT=KIND@job:N.\n"
        "Keys of a config: taskvec help STAGE, taskvec help KEY, docs/config.md\n",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .least_args = 1,
    .most_args = 1,
    .run = plan_command,
};
