#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/progress_bar.h"
#include "cli/run_summary.h"
#include "journal/journal.h"
#include "machine/blas_kernel.h"
#include "machine/memory_budget.h"
#include "machine/time_limit.h"
#include "par/farm.h"
#include "run/plan/job_message.h"
#include "run/plan/plan_notes.h"
#include "run/rundir/config_change.h"
#include "run/rundir/provenance.h"
#include "run/rundir/run_state.h"
#include "run/rundir/rundir.h"
#include "run/rundir/throughput.h"
#include "run/tables/results_tables.h"

static const struct option_row OPTIONS[] = {
    {"--output", "-o", "DIR", "folder of the run (default results/NAME)"},
    {"--set", "-s", "KEY=VALUE", "override a key: -s fit.points=[16,26] -s seed=3; repeatable"},
    {"--only", NULL, "STAGE", "start only jobs of this stage; repeatable"},
    {"--max-time", NULL, "TIME", "stop before this limit: seconds, D-HH:MM:SS or UNLIMITED"},
    {"--share-contexts", NULL, "WHEN", "jobs read contexts of earlier jobs: yes (default) or no"},
    {"--order", NULL, "WHICH", "longest jobs first (default) or shortest: no result depends on it"},
    {"--retry-failed", NULL, NULL, "run jobs again that failed before"},
    {"--memory", NULL, "BYTES",
     "memory per rank, such as 2G (default: 80% of the available memory)"},
    {"--hang-after", NULL, "TIME",
     "kill a job without progress for this long (default 600), or UNLIMITED"},
    {"--in-process", NULL, NULL, "compute in the program itself, one rank (for debuggers)"},
    {"--mpi", NULL, "WHEN",
     "use MPI: auto (default: only under a launcher such as mpirun), yes or no"},
    {"--mix", NULL, NULL, "resume although another build or BLAS kernel began the run"},
    {"--replace-config", NULL, NULL,
     "use a folder whose config has another name or shares no job with CFG"},
    {"--progress", NULL, "FORM",
     "bar, lines, none, or auto (default: a bar on a terminal, else lines)"},
    {"--quiet", NULL, NULL, "print no progress, and only warnings and errors"},
};

struct session { /* of rank 0, which coordinates */
    const struct options *options;
    char *const *argv;
    double began; /* clock_now() */
    struct stage_schemas schemas;
    struct config *config;
    struct plan plan;
    char dir[FILE_PATH_MAX];
    size_t copies; /* rundir_open_config() */
    struct lock lock;
    struct log log;
    struct progress_bar bar;
    struct history past; /* of earlier attempts; the farm takes it over */
    struct text machine;
    struct provenance provenance;
    struct farm_field fields[PROVENANCE_MAX];
    bool *skip; /* [plan.n_jobs]: --only leaves it out */
    struct farm farm;
};

static void session_release(struct session *s) {
    lock_release(&s->lock);
    history_release(&s->past);
    free(s->skip);
    provenance_release(&s->provenance);
    text_release(&s->machine);
    plan_release(&s->plan);
    config_close(s->config);
    stage_schemas_release(&s->schemas);
}

/* ---- config and run folder */

static enum err_code open_config(struct session *s, struct err *err) {
    enum err_code rc = ERR_OK;
    const char *sets[OPTIONS_MAX];
    const struct rundir_config c = {s->options->args[0], sets,
                                    options_values(sets, s->options, "--set"),
                                    options_value(s->options, "--output")};
    TRY(stage_schemas_init(&s->schemas, err));
    TRY(rundir_open_config(&s->config, s->dir, &s->copies, &s->schemas, &c, err));
    TRY(plan_make(&s->plan, s->config, err));
cleanup:
    return rc;
}

/* Another build or BLAS kernel may read a run but not resume it: results would mix their bits. */
static enum err_code check_mix(const struct session *s, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t count[QUEUE_BLOCKED + 1];
    struct run_state_job *states = calloc(s->plan.n_jobs + 1, sizeof *states);
    CHECK(states, ERR_MEMORY, "no memory for %zu jobs", s->plan.n_jobs);
    run_state_states(states, count, &s->plan, &s->past, s->dir, false);
    const bool retry = options_has(s->options, "--retry-failed");
    const size_t left = count[QUEUE_PENDING] + (retry ? count[QUEUE_FAILED] : 0);
    if (left > 0 && !options_has(s->options, "--mix")) TRY(provenance_check(&s->past, s->dir, err));
cleanup:
    free(states);
    return rc;
}

/* A DONE job whose rows are damaged in the journal runs again. */
static void warn_of_rows(const struct session *s) {
    for (size_t j = 0; j < s->plan.n_jobs; j++) {
        const struct history_job *past = history_find(&s->past, s->plan.jobs[j].identity);
        if (!past || past->state != HISTORY_STOPPED || past->dones == 0) continue;
        if (past->n_rows >= past->rows_due) continue;
        log_line(&s->log, LOG_WARNING,
                 "%s: %zu of its %zu rows are readable in the journal: it runs again",
                 s->plan.jobs[j].label, past->n_rows, past->rows_due);
    }
}

static void report_lock(const struct session *s) {
    struct lock_holder holder;
    lock_look(&holder, s->dir);
    if (holder.there && holder.elsewhere)
        log_line(&s->log, LOG_INFO,
                 "%s: locked by process %ld on %s: waiting up to %d s for its heartbeat", s->dir,
                 holder.pid, holder.host, LOCK_STALE);
}

static enum err_code enter_directory(struct session *s, struct err *err) {
    enum err_code rc = ERR_OK;
    struct config_change change;
    struct text text = {0};
    TRY(file_make_folder(s->dir, err));
    report_lock(s);
    TRY(lock_take(&s->lock, s->dir, LOCK_STALE, err));
    config_change_find(&change, s->dir, &s->plan, &s->schemas);
    if (!options_has(s->options, "--replace-config"))
        TRY(config_change_check_owner(&change, s->dir, &s->plan, err));
    TRY(journal_history(&s->past, s->dir, err));
    TRY(check_mix(s, err));
    warn_of_rows(s);
    config_change_describe(&text, &change, s->dir);
    TRY(text_check(&text, err));
    if (text.size > 0) log_line(&s->log, LOG_INFO, "%s", text_str(&text));
    TRY(rundir_keep_config(s->dir, &s->plan, err));
cleanup:
    text_release(&text);
    return rc;
}

/* What may be a slip in the config: printed once, when nothing refuses the run any more. */
static enum err_code report_notes(const struct session *s, struct err *err) {
    enum err_code rc = ERR_OK;
    struct plan_notes notes = {0};
    TRY(plan_notes_make(&notes, &s->plan, err));
    TRY(rundir_note_copies(&notes, s->dir, s->copies, err));
    for (size_t i = 0; i < notes.n; i++) log_line(&s->log, LOG_INFO, "note: %s", notes.items[i]);
cleanup:
    plan_notes_release(&notes);
    return rc;
}

/* ---- what the farm is given */

static enum err_code no_such_stage(const struct session *s, const char *name, struct err *err) {
    struct text names = {0};
    for (size_t i = 0; i < s->plan.n_stages; i++)
        text_add(&names, "%s%s", i ? ", " : "", s->plan.stages[i].name);
    const enum err_code rc =
        ERR(err, ERR_USAGE, "--only %s: no stage of %s has this name; it has %s", name,
            config_path(s->config), text_str(&names));
    text_release(&names);
    return rc;
}

static enum err_code read_time(double *seconds, const struct options *o, const char *option,
                               struct err *err) {
    struct err why;
    if (!options_has(o, option) || options_time(seconds, options_value(o, option), &why) == ERR_OK)
        return ERR_OK;
    return ERR(err, ERR_USAGE, "%s: %s, or UNLIMITED", option, why.msg);
}

static enum err_code skip_stages(bool *skipped, const struct session *s, struct err *err) {
    const char *only[OPTIONS_MAX];
    const size_t n = options_values(only, s->options, "--only");
    for (size_t i = 0; i < s->plan.n_stages; i++) skipped[i] = n > 0;
    for (size_t k = 0; k < n; k++) {
        const size_t stage = plan_find_stage(&s->plan, only[k]);
        if (stage == PLAN_NONE) return no_such_stage(s, only[k], err);
        skipped[stage] = false;
    }
    return ERR_OK;
}

static enum err_code skip_jobs(struct session *s, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = s->plan.n_jobs;
    bool *skipped = calloc(s->plan.n_stages + 1, sizeof *skipped);
    s->skip = calloc(n + 1, sizeof *s->skip);
    CHECK(skipped && s->skip, ERR_MEMORY, "no memory for %zu jobs", n);
    TRY(skip_stages(skipped, s, err));
    for (size_t j = 0; j < n; j++) s->skip[j] = skipped[s->plan.jobs[j].stage];
cleanup:
    free(skipped);
    return rc;
}

static enum err_code write_order(struct text *out, size_t job, void *context, struct err *err) {
    const struct session *s = context;
    return job_message_write(out, &s->plan, job, s->dir, err);
}

static void show_progress(const struct farm_progress *p, void *context) {
    struct session *s = context;
    progress_bar_show(p, &s->bar);
}

static enum err_code read_limits(struct session *s, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct options *o = s->options;
    struct farm *f = &s->farm;
    struct memory_limits limits;
    double bytes = 0.0, max_time = 0.0;
    memory_budget_look(&limits);
    f->memory = memory_budget_bytes(&limits);
    if (options_has(o, "--memory")) {
        struct err why;
        CHECK(options_bytes(&bytes, options_value(o, "--memory"), &why) == ERR_OK, ERR_USAGE,
              "--memory: %s", why.msg);
        f->memory = (size_t)bytes;
    }
    TRY(read_time(&max_time, o, "--max-time", err));
    f->end = time_limit_end(s->began, max_time, &s->log);
    TRY(read_time(&f->hang_after, o, "--hang-after", err));
cleanup:
    return rc;
}

static enum err_code read_sequence(bool *shortest, const struct options *o, struct err *err) {
    const char *value = options_value(o, "--order");
    *shortest = value && strcmp(value, "shortest") == 0;
    if (!value || *shortest || strcmp(value, "longest") == 0) return ERR_OK;
    return ERR(err, ERR_USAGE, "--order %s: expected longest or shortest", value);
}

static enum err_code read_sharing(bool *share, const struct options *o, struct err *err) {
    const char *value = options_value(o, "--share-contexts");
    *share = !value || strcmp(value, "yes") == 0;
    if (*share || strcmp(value, "no") == 0) return ERR_OK;
    return ERR(err, ERR_USAGE, "--share-contexts %s: expected yes or no", value);
}

static enum err_code make_farm(struct session *s, struct err *err) {
    enum err_code rc = ERR_OK;
    s->farm = (struct farm){.dir = s->dir,
                            .provenance = s->fields,
                            .retry_failed = options_has(s->options, "--retry-failed"),
                            .in_process = options_has(s->options, "--in-process"),
                            .lock = &s->lock,
                            .past = &s->past,
                            .log = s->log,
                            .context = s,
                            .order = write_order,
                            .progress = show_progress,
                            .compute = job_message_compute};
    TRY(read_limits(s, err));
    TRY(read_sequence(&s->farm.shortest_first, s->options, err));
    TRY(read_sharing(&s->farm.share_contexts, s->options, err));
    TRY(skip_jobs(s, err));
    s->farm.jobs = s->plan.jobs;
    s->farm.skip = s->skip;
    s->farm.n_jobs = s->plan.n_jobs;
    TRY(provenance_make(&s->provenance, &s->plan, s->farm.memory, s->argv, err));
    for (size_t i = 0; i < s->provenance.n; i++)
        s->fields[i] = (struct farm_field){s->provenance.fields[i].name,
                                           text_str(&s->provenance.fields[i].value)};
    s->farm.n_provenance = s->provenance.n;
    s->farm.machine = text_str(&s->machine);
cleanup:
    return rc;
}

/* ---- before, during, after */

/* Writes results.h5, and prints the throughput of all finished jobs. */
static enum err_code publish(struct text *out, const char *dir, struct err *err) {
    enum err_code rc = ERR_OK;
    struct run_state r;
    TRY(run_state_open(&r, dir, err));
    run_state_states(r.jobs, r.count, &r.plan, &r.history, dir,
                     false); /* false: the lock is held by this process */
    throughput_print(out, &r);
    rc = results_tables_publish(&r, err);
    run_state_release(&r);
cleanup:
    return rc;
}

static bool is_worse(enum err_code a, enum err_code b) {
    return err_exit_code(a) != err_exit_code(b) &&
           err_worse_exit(err_exit_code(a), err_exit_code(b)) == err_exit_code(a);
}

static void summarise(struct text *out, const struct session *s, const struct run_ending *e,
                      int exit_code, const struct par *par) {
    if (par->launched && (exit_code == EXIT_WORK_REMAINS || exit_code == EXIT_IO))
        run_summary_print_at_once(s->dir, e, s->argv, par->size);
    else
        run_summary_print(out, s->dir, e, s->argv, par->size);
}

static enum err_code coordinate(struct text *out, int *exit_code, struct session *s,
                                struct par *par, struct err *err) {
    enum err_code rc = ERR_OK;
    struct farm_outcome outcome = {0};
    struct run_ending ending = {.outcome = &outcome};
    struct err late = {0};
    TRY(open_config(s, err));
    provenance_machine(&s->machine);
    TRY(text_check(&s->machine, err));
    TRY(make_farm(s, err));
    TRY(enter_directory(s, err));
    TRY(report_notes(s, err));
    blas_kernel_warn(&s->log);
    rc = farm_run(&s->farm, par, &outcome, err);
    progress_bar_clear(&s->bar);
    if (rc == ERR_CONFIG || rc == ERR_USAGE) goto cleanup; /* refused before any job started */
    if (!outcome.at_once) ending.published = publish(out, s->dir, &late) == ERR_OK;
    if (late.code != ERR_OK && is_worse(late.code, rc)) {
        rc = late.code;
        *err = late;
    }
    if (rc == ERR_OK) *exit_code = outcome.exit_code;
    ending.disk_full = rc == ERR_IO && strstr(err->msg, strerror(ENOSPC));
    summarise(out, s, &ending, rc == ERR_OK ? *exit_code : err_exit_code(rc), par);
cleanup:
    return rc;
}

static enum err_code serve(struct par *par, const struct log *log) {
    struct text machine = {0};
    struct err err = {0};
    provenance_machine(&machine);
    const enum err_code rc = farm_serve(par, text_str(&machine), log, &err);
    text_release(&machine);
    return rc;
}

static enum err_code run_command(struct text *out, int *exit_code, const struct options *o,
                                 char *const *argv, struct err *err) {
    enum err_code rc = ERR_OK;
    struct par par = {0};
    struct session s = {
        .options = o, .argv = argv, .began = clock_now(), .log = {.level = LOG_INFO}};
    if (options_has(o, "--quiet")) s.log.level = LOG_WARNING;
    enum progress_form form;
    enum par_mpi mpi;
    TRY(progress_form_read(&form, options_value(o, "--progress"), options_has(o, "--quiet"), err));
    TRY(par_read_mpi(&mpi, options_value(o, "--mpi"), err));
    TRY(par_init(&par, mpi, &s.log, err));
    s.log.rank = par.rank;
    if (par.rank > 0) {
        /* Only the coordinator exits with a code, except when it cannot be reached. */
        *exit_code = serve(&par, &s.log) == ERR_MPI ? par_abandon(&par, err_exit_code(ERR_MPI))
                                                    : par_finish(&par, 0);
        goto cleanup;
    }
    progress_bar_init(&s.bar, form, s.began);
    rc = coordinate(out, exit_code, &s, &par, err);
    progress_bar_release(&s.bar);
    farm_release(&par);
    session_release(&s);
    if (rc == ERR_MPI)
        (void)par_abandon(&par, err_exit_code(rc));
    else
        (void)par_finish(&par, rc == ERR_OK ? *exit_code : err_exit_code(rc));
cleanup:
    return rc;
}

const struct command COMMAND_RUN = {
    .name = "run",
    .arguments = "CFG",
    .meaning = "run or resume a config; finished jobs are not repeated",
    .more =
        "  taskvec run experiments/quickstart.cfg\n"
        "  mpirun -n 64 taskvec run my.cfg -s seed=2 -o results/seed2\n"
        "\n"
        "SIGUSR1, one Ctrl-C or a closed terminal (except under nohup) stop the run within 20 s\n"
        "with exit code 75; the same command resumes it. A second signal stops it at once.\n"
        "--max-time, or the end of the Slurm job (SLURM_JOB_END_TIME) if that is earlier, stops\n"
        "the run in time, and no job starts that could not finish before it.\n"
        "\n"
        "Keys of a config: taskvec help STAGE, taskvec help KEY, docs/config.md\n",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .least_args = 1,
    .most_args = 1,
    .run = run_command,
};
