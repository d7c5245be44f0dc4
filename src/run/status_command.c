#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "run/command.h"
#include "run/rates.h"
#include "run/record.h"
#include "json/json_writer.h"

static const struct option_row OPTIONS[] = {
    {"--json", NULL, NULL, "everything as JSON"},
    {"--exit-code", NULL, NULL,
     "exit as the run would: 0 done, 1 failed, 75 work remains, 70 no progress in 3 attempts"},
};

/* Seconds of computing of the finished jobs of this plan. */
static double seconds_done(const struct record *r) {
    double sum = 0.0;
    for (size_t j = 0; j < r->plan.n_jobs; j++)
        if (r->jobs[j].state == QUEUE_DONE) sum += r->jobs[j].past->seconds;
    return sum;
}

static double flops_in(const struct record *r, bool done) {
    double sum = 0.0;
    for (size_t j = 0; j < r->plan.n_jobs; j++)
        if ((r->jobs[j].state == QUEUE_DONE) == done) sum += r->plan.jobs[j].cost.flops;
    return sum;
}

/* Core-seconds still to compute, by the rate of what is done; NaN while nothing is. */
static double seconds_left(const struct record *r) {
    const double done = flops_in(r, true);
    return done > 0.0 ? flops_in(r, false) * seconds_done(r) / done : nan("");
}

static const char *reason_of(const struct record_job *job) {
    if (job->lost) return "several attempts in a row died while it ran";
    return job->past && job->past->reason ? job->past->reason : "";
}

static const char *class_of(const struct record_job *job) {
    if (job->lost) return "lost";
    return job->past && job->past->failed_class ? job->past->failed_class : "";
}

/* ---- for people */

static void print_runner(struct text *out, const struct record *r) {
    if (r->holder.alive)
        text_add(out, "running on %s, process %ld, since %s, heard %.0f s ago\n", r->holder.host,
                 r->holder.pid, r->holder.started, r->holder.silent);
    else
        text_add(out, "not running\n");
}

static void print_running(struct text *out, const struct record *r) {
    char label[PLAN_LABEL];
    for (size_t j = 0; j < r->plan.n_jobs; j++) {
        const struct record_job *job = &r->jobs[j];
        if (job->state != QUEUE_RUNNING) continue;
        plan_label(label, &r->plan, j);
        text_add(out, "RUNNING  %s on rank %s", label, job->past->ranks ? job->past->ranks : "?");
        if (job->past->total > 0.0)
            text_add(out, ", checkpoint at %.0f%%", 100.0 * job->past->done / job->past->total);
        text_add(out, "\n");
    }
}

static void print_failed(struct text *out, const struct record *r) {
    char label[PLAN_LABEL], blocker[PLAN_LABEL];
    for (size_t j = 0; j < r->plan.n_jobs; j++) {
        const struct record_job *job = &r->jobs[j];
        plan_label(label, &r->plan, j);
        if (job->state == QUEUE_FAILED)
            text_add(out, "FAILED   %s (%s): %s\n", label, class_of(job), reason_of(job));
        if (job->state == QUEUE_BLOCKED) {
            plan_label(blocker, &r->plan, job->blocker);
            text_add(out, "BLOCKED  %s by %s\n", label, blocker);
        }
    }
}

static void print_counts(struct text *out, const struct record *r) {
    text_add(out, "%s: %zu jobs", config_name(r->config), r->plan.n_jobs);
    for (int s = QUEUE_PENDING; s <= QUEUE_BLOCKED; s++)
        if (r->count[s])
            text_add(out, ", %zu %s", r->count[s], queue_state_text((enum queue_state)s));
    text_add(out, "; %zu attempts\n", r->history.n_attempts);
}

static void print_status(struct text *out, const struct record *r) {
    char spent[32], left[32];
    print_counts(out, r);
    print_runner(out, r);
    clock_span(spent, seconds_done(r));
    text_add(out, "%s of computing in finished jobs", spent);
    if (r->count[QUEUE_DONE] < r->plan.n_jobs && !isnan(seconds_left(r))) {
        clock_span(left, seconds_left(r));
        text_add(out, ", about %s of one core to go", left);
    }
    text_add(out, "\n");
    rates_print(out, r);
    print_running(out, r);
    print_failed(out, r);
    if (r->history.damaged)
        text_add(out, "%zu damaged lines of the journal were skipped\n", r->history.damaged);
}

/* ---- for scripts */

static void json_holder(struct json_writer *w, const struct record *r) {
    json_write_key(w, "running"), json_write_bool(w, r->holder.alive);
    if (!r->holder.alive) return;
    json_write_key(w, "host"), json_write_text(w, r->holder.host);
    json_write_key(w, "pid"), json_write_int(w, r->holder.pid);
    json_write_key(w, "since"), json_write_text(w, r->holder.started);
    json_write_key(w, "silent_seconds"), json_write_number(w, r->holder.silent);
}

static void json_trouble(struct json_writer *w, const struct record *r, size_t j) {
    const struct record_job *job = &r->jobs[j];
    char label[PLAN_LABEL];
    plan_label(label, &r->plan, j);
    json_write_object(w);
    json_write_key(w, "line"), json_write_int(w, (int64_t)j);
    json_write_key(w, "job"), json_write_text(w, label);
    json_write_key(w, "state"), json_write_text(w, queue_state_text(job->state));
    if (job->state == QUEUE_BLOCKED) {
        plan_label(label, &r->plan, job->blocker);
        json_write_key(w, "by"), json_write_text(w, label);
    } else {
        json_write_key(w, "class"), json_write_text(w, class_of(job));
        json_write_key(w, "reason"), json_write_text(w, reason_of(job));
    }
    json_write_close(w);
}

static enum err_code print_json(struct text *out, const struct record *r, struct err *err) {
    struct json_writer w = json_writer_begin(out);
    json_write_object(&w);
    json_write_key(&w, "name"), json_write_text(&w, config_name(r->config));
    json_write_key(&w, "jobs"), json_write_int(&w, (int64_t)r->plan.n_jobs);
    for (int s = QUEUE_PENDING; s <= QUEUE_BLOCKED; s++) {
        static const char *const words[] = {"pending", "running", "done", "failed", "blocked"};
        json_write_key(&w, words[s]), json_write_int(&w, (int64_t)r->count[s]);
    }
    json_write_key(&w, "attempts"), json_write_int(&w, (int64_t)r->history.n_attempts);
    json_write_key(&w, "damaged_lines"), json_write_int(&w, (int64_t)r->history.damaged);
    json_write_key(&w, "seconds_done"), json_write_number(&w, seconds_done(r));
    json_write_key(&w, "seconds_left"), json_write_number(&w, seconds_left(r));
    json_write_key(&w, "exit_code"), json_write_int(&w, record_exit_code(r));
    json_write_key(&w, "holder"), json_write_object(&w);
    json_holder(&w, r);
    json_write_close(&w);
    json_write_key(&w, "trouble"), json_write_array(&w);
    for (size_t j = 0; j < r->plan.n_jobs; j++)
        if (r->jobs[j].state == QUEUE_FAILED || r->jobs[j].state == QUEUE_BLOCKED)
            json_trouble(&w, r, j);
    json_write_close(&w);
    json_write_close(&w);
    text_add(out, "\n");
    return json_writer_end(&w, err);
}

static enum err_code status_command(struct text *out, int *exit_code, const struct options *o,
                                    char *const *argv, struct err *err) {
    enum err_code rc = ERR_OK;
    struct record r = {0};
    (void)argv;
    TRY(record_open(&r, o->args[0], err));
    if (options_has(o, "--json"))
        TRY(print_json(out, &r, err));
    else
        print_status(out, &r);
    if (options_has(o, "--exit-code")) *exit_code = record_exit_code(&r);
cleanup:
    record_release(&r);
    return rc;
}

const struct command COMMAND_STATUS = {
    .name = "status",
    .arguments = "DIR",
    .meaning = "how far a run is, from any shell, without MPI",
    .options = OPTIONS,
    .n_options = sizeof OPTIONS / sizeof *OPTIONS,
    .least_args = 1,
    .most_args = 1,
    .run = status_command,
};
