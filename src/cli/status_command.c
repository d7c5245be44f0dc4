#include <math.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/status_print.h"
#include "cli/terminal.h"

static const double EVERY = 5.0; /* seconds: the heartbeat of a run */

static const struct option_row OPTIONS[] = {
    {"--json", NULL, NULL, "print JSON; seconds_left is null while it is not known"},
    {"--watch", NULL, NULL,
     "repeat until the run ends; one line each time if the output is not a terminal"},
    {"--every", NULL, "TIME", "with --watch: time between two outputs (default 5 seconds)"},
    {"--exit-code", NULL, NULL,
     "exit with the code of the run's state; 70 after 3 attempts without progress"},
};

/* ---- watching */

static enum err_code show(const struct run_state *r, struct err *err) {
    enum err_code rc = ERR_OK;
    struct progress p;
    struct text out = {0};
    const bool terminal = isatty(STDOUT_FILENO) != 0;
    TRY(progress_make(&p, r, err));
    if (terminal) {
        text_add(&out, "\033[H\033[J");
        status_print(&out, r, &p);
    } else {
        status_print_line(&out, r, &p);
    }
    TRY(terminal_write(&out, err));
cleanup:
    text_release(&out);
    return rc;
}

/* A run on another host counts as alive until its heartbeat has been watched for LOCK_STALE s. */
static bool may_be_alive(const struct run_state *r, double began) {
    if (r->holder.alive) return true;
    return r->holder.there && r->holder.elsewhere && clock_now() - began < LOCK_STALE;
}

static enum err_code watch(struct run_state *r, double every, struct err *err) {
    enum err_code rc = ERR_OK;
    const double began = clock_now();
    while (may_be_alive(r, began)) {
        TRY(show(r, err));
        clock_sleep(every);
        TRY(run_state_refresh(r, err));
    }
cleanup:
    return rc;
}

static enum err_code read_every(double *seconds, const struct options *o, struct err *err) {
    struct err why;
    *seconds = EVERY;
    if (!options_has(o, "--every")) return ERR_OK;
    if (options_time(seconds, options_value(o, "--every"), &why) != ERR_OK)
        return ERR(err, ERR_USAGE, "--every: %s", why.msg);
    if (!options_has(o, "--watch")) return ERR(err, ERR_USAGE, "--every needs --watch");
    return isfinite(*seconds) ? ERR_OK : ERR(err, ERR_USAGE, "--every UNLIMITED: give a time");
}

/* ---- the command */

static enum err_code status_command(struct text *out, int *exit_code, const struct options *o,
                                    char *const *argv, struct err *err) {
    enum err_code rc = ERR_OK;
    struct run_state r = {0};
    struct progress p;
    double every;
    (void)argv;
    TRY(read_every(&every, o, err));
    TRY(run_state_open(&r, o->args[0], err));
    if (options_has(o, "--watch")) TRY(watch(&r, every, err));
    TRY(progress_make(&p, &r, err));
    if (options_has(o, "--json"))
        TRY(status_print_json(out, &r, &p, err));
    else
        status_print(out, &r, &p);
    if (options_has(o, "--exit-code")) *exit_code = run_state_exit_code(&r);
cleanup:
    run_state_release(&r);
    return rc;
}

const struct command COMMAND_STATUS = {
    .name = "status",
    .arguments = "DIR",
    .meaning = "show the progress of a run, from any shell, without MPI",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .least_args = 1,
    .most_args = 1,
    .run = status_command,
};
