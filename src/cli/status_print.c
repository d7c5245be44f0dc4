#include "cli/status_print.h"

#include <math.h>

#include "base/clock.h"
#include "base/text.h"
#include "run/rundir/throughput.h"
#include "json/json_writer.h"

static bool has_ended(const struct run_state *r) {
    const struct history *h = &r->history;
    return h->n_attempts > 0 && h->attempts[h->n_attempts - 1].ended;
}

/* ---- for people */

static void print_runner(struct text *out, const struct run_state *r, const struct progress *p) {
    char span[32];
    if (!r->holder.alive) {
        text_add(out, "not running");
        if (r->holder.unreadable)
            text_add(out, ": its lock is unreadable");
        else if (r->holder.there && r->holder.elsewhere)
            text_add(out, ": its last attempt, on %s, has been silent for %.0f s", r->holder.host,
                     r->holder.silent);
        else if (r->history.n_attempts > 0 && !has_ended(r))
            text_add(out, ": its last attempt died");
        text_add(out, "\n");
        return;
    }
    text_add(out, "running on %s, process %ld, %d rank%s, since %s", r->holder.host, r->holder.pid,
             p->ranks, p->ranks > 1 ? "s" : "", r->holder.started);
    if (!isnan(p->running)) {
        clock_span(span, p->running);
        text_add(out, " (%s)", span);
    }
    text_add(out, ", heard %.0f s ago\n", fmax(0.0, r->holder.silent));
}

static void print_pace(struct text *out, const struct run_state *r, const struct progress *p) {
    char span[32];
    clock_span(span, p->computed);
    text_add(out, "%s of computing in finished jobs", span);
    if (p->done_now > 0 && p->running > 0.0)
        text_add(out, ", %zu of them now, %.3g an hour", p->done_now,
                 3600.0 * (double)p->done_now / p->running);
    if (r->count[QUEUE_PENDING] + r->count[QUEUE_RUNNING] > 0 && !isnan(p->eta)) {
        clock_span(span, p->eta);
        text_add(out, "; about %s left on %d rank%s", span, p->ranks, p->ranks > 1 ? "s" : "");
    }
    text_add(out, "\n");
}

static void print_contexts(struct text *out, const struct progress *p) {
    if (p->found + p->made == 0) return;
    text_add(out, "%zu context%s made, %zu found where an earlier job had made them\n", p->made,
             text_plural(p->made), p->found);
}

static void print_running(struct text *out, const struct run_state *r, size_t j) {
    char span[32];
    const struct history_job *past = r->jobs[j].past;
    struct text hosts = {0};
    progress_hosts(&hosts, r, j);
    text_add(out, "RUNNING  %s on rank %s", r->jobs[j].job->label,
             *past->ranks ? past->ranks : "?");
    if (hosts.size > 0) text_add(out, " (%s)", text_str(&hosts));
    if (!isnan(progress_elapsed(r, j))) {
        clock_span(span, progress_elapsed(r, j));
        text_add(out, " for %s", span);
    }
    if (past->total > 0.0) text_add(out, ", checkpoint at %.0f%%", 100.0 * progress_reached(r, j));
    text_add(out, "\n");
    text_release(&hosts);
}

static void print_failed(struct text *out, const struct run_state_job *job) {
    text_add(out, "FAILED   %s (%s): %s\n", job->job->label, run_state_failure_class(job),
             run_state_failure_reason(job));
}

static void print_blocked(struct text *out, const struct run_state_job *job) {
    text_add(out, "BLOCKED  %s by %s\n", job->job->label, job->blocker->job->label);
}

static void print_counts(struct text *out, const struct run_state *r) {
    text_add(out, "%s: %zu job%s", config_name(r->config), r->plan.n_jobs,
             text_plural(r->plan.n_jobs));
    for (int s = QUEUE_PENDING; s <= QUEUE_BLOCKED; s++)
        if (r->count[s])
            text_add(out, ", %zu %s", r->count[s], queue_state_text((enum queue_state)s));
    text_add(out, "; %zu attempt%s\n", r->history.n_attempts, text_plural(r->history.n_attempts));
}

void status_print(struct text *out, const struct run_state *r, const struct progress *p) {
    print_counts(out, r);
    print_runner(out, r, p);
    print_pace(out, r, p);
    print_contexts(out, p);
    throughput_print(out, r);
    for (size_t j = 0; j < r->plan.n_jobs; j++)
        if (r->jobs[j].state == QUEUE_RUNNING) print_running(out, r, j);
    for (size_t j = 0; j < r->plan.n_jobs; j++) {
        if (r->jobs[j].state == QUEUE_FAILED) print_failed(out, &r->jobs[j]);
        if (r->jobs[j].state == QUEUE_BLOCKED) print_blocked(out, &r->jobs[j]);
    }
    if (r->history.damaged)
        text_add(out, "%zu damaged lines of the journal were skipped\n", r->history.damaged);
}

void status_print_line(struct text *out, const struct run_state *r, const struct progress *p) {
    char utc[32], span[32];
    clock_utc(utc);
    text_add(out, "%s  %zu of %zu job%s done", utc, r->count[QUEUE_DONE], r->plan.n_jobs,
             text_plural(r->plan.n_jobs));
    if (r->count[QUEUE_RUNNING]) text_add(out, ", %zu running", r->count[QUEUE_RUNNING]);
    if (r->count[QUEUE_FAILED]) text_add(out, ", %zu failed", r->count[QUEUE_FAILED]);
    if (r->count[QUEUE_BLOCKED]) text_add(out, ", %zu blocked", r->count[QUEUE_BLOCKED]);
    if (!isnan(p->eta)) {
        clock_span(span, p->eta);
        text_add(out, ", %s to go", span);
    }
    text_add(out, "\n");
}

/* ---- for scripts */

static void json_holder(struct json_writer *w, const struct run_state *r) {
    json_write_key(w, "running"), json_write_bool(w, r->holder.alive);
    if (!r->holder.alive) return;
    json_write_key(w, "host"), json_write_bytes(w, r->holder.host);
    json_write_key(w, "pid"), json_write_int(w, r->holder.pid);
    json_write_key(w, "since"), json_write_bytes(w, r->holder.started);
    json_write_key(w, "silent_seconds"), json_write_number(w, r->holder.silent);
}

static void json_job(struct json_writer *w, const struct run_state *r, size_t j) {
    json_write_object(w);
    json_write_key(w, "line"), json_write_int(w, (int64_t)j);
    json_write_key(w, "job"), json_write_text(w, r->plan.jobs[j].label);
    json_write_key(w, "state"), json_write_text(w, queue_state_text(r->jobs[j].state));
}

static void json_running(struct json_writer *w, const struct run_state *r, size_t j) {
    struct text hosts = {0};
    progress_hosts(&hosts, r, j);
    json_job(w, r, j);
    json_write_key(w, "ranks"), json_write_bytes(w, r->jobs[j].past->ranks);
    json_write_key(w, "hosts"), json_write_bytes(w, text_str(&hosts));
    json_write_key(w, "seconds"), json_write_number(w, progress_elapsed(r, j));
    json_write_key(w, "checkpoint"), json_write_number(w, progress_reached(r, j));
    json_write_close(w);
    text_release(&hosts);
}

static void json_trouble(struct json_writer *w, const struct run_state *r, size_t j) {
    const struct run_state_job *job = &r->jobs[j];
    json_job(w, r, j);
    if (job->state == QUEUE_BLOCKED) {
        json_write_key(w, "by"), json_write_text(w, job->blocker->job->label);
    } else {
        json_write_key(w, "class"), json_write_bytes(w, run_state_failure_class(job));
        json_write_key(w, "reason"), json_write_bytes(w, run_state_failure_reason(job));
    }
    json_write_close(w);
}

static void json_counts(struct json_writer *w, const struct run_state *r) {
    static const char *const WORDS[] = {"pending", "running", "done", "failed", "blocked"};
    json_write_key(w, "name"), json_write_bytes(w, config_name(r->config));
    json_write_key(w, "jobs"), json_write_int(w, (int64_t)r->plan.n_jobs);
    for (int s = QUEUE_PENDING; s <= QUEUE_BLOCKED; s++)
        json_write_key(w, WORDS[s]), json_write_int(w, (int64_t)r->count[s]);
    json_write_key(w, "attempts"), json_write_int(w, (int64_t)r->history.n_attempts);
    json_write_key(w, "damaged_lines"), json_write_int(w, (int64_t)r->history.damaged);
    json_write_key(w, "exit_code"), json_write_int(w, run_state_exit_code(r));
}

static void json_progress(struct json_writer *w, const struct progress *p) {
    json_write_key(w, "seconds_done"), json_write_number(w, p->computed);
    json_write_key(w, "seconds_left"), json_write_number(w, p->eta);
    json_write_key(w, "ranks"), json_write_int(w, p->ranks);
    json_write_key(w, "attempt_seconds"), json_write_number(w, p->running);
    json_write_key(w, "contexts_made"), json_write_int(w, (int64_t)p->made);
    json_write_key(w, "contexts_found"), json_write_int(w, (int64_t)p->found);
    json_write_key(w, "attempt_done"), json_write_int(w, (int64_t)p->done_now);
}

enum err_code status_print_json(struct text *out, const struct run_state *r,
                                const struct progress *p, struct err *err) {
    struct json_writer w = json_writer_begin(out);
    json_write_object(&w);
    json_counts(&w, r);
    json_progress(&w, p);
    json_write_key(&w, "holder"), json_write_object(&w);
    json_holder(&w, r);
    json_write_close(&w);
    json_write_key(&w, "running_jobs"), json_write_array(&w);
    for (size_t j = 0; j < r->plan.n_jobs; j++)
        if (r->jobs[j].state == QUEUE_RUNNING) json_running(&w, r, j);
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
