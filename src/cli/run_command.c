#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/run_session.h"
#include "cli/run_summary.h"
#include "machine/blas_kernel.h"
#include "run/rundir/run_state.h"
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
    {"--quiet", NULL, NULL, "print only warnings, errors and the summary"},
};

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

static void summarise(struct text *out, const struct run_session *s, const struct run_ending *e,
                      int exit_code, const struct par *par) {
    if (par->launched && (exit_code == EXIT_WORK_REMAINS || exit_code == EXIT_IO))
        run_summary_print_at_once(s->dir, e, s->argv, par->size);
    else
        run_summary_print(out, s->dir, e, s->argv, par->size);
}

static enum err_code coordinate(struct text *out, int *exit_code, struct run_session *s,
                                struct par *par, struct err *err) {
    enum err_code rc = ERR_OK;
    struct farm_outcome outcome = {0};
    struct run_ending ending = {.outcome = &outcome};
    struct err late = {0};
    TRY(run_session_open_config(s, err));
    provenance_machine(&s->machine);
    TRY(text_check(&s->machine, err));
    TRY(run_session_make_farm(s, err));
    TRY(run_session_enter_folder(s, err));
    TRY(run_session_report_notes(s, err));
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
    struct run_session s = {
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
    run_session_release(&s);
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
