/* The time limit: when jobs are asked to stop, how long jobs take, and which may still start. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "par/coordinator.h"

/* Seconds that mpirun takes to exit after rank 0 has exited with a code other than 0
 * (measured: 2.0), or this fraction of a short limit. */
static const double LAUNCHER_EXIT = 2.0, LAUNCHER_EXIT_SHARE = 0.2;

/* Jobs are asked to stop STOP_BEFORE seconds before the end. With a short limit this time is
 * STOP_LEAST seconds plus a twentieth of the limit, but at most a fifth of it. The grace period
 * (coordinator_stop.c) and the writing of results.h5 must fit into it. */
static const double STOP_BEFORE = 25.0, STOP_LEAST = 2.0, STOP_SHARE = 0.05, STOP_SHARE_MOST = 0.2;

/* ---------------------------------------------------------------- how long jobs take */

/* The times of jobs of one class are assumed to be proportional to their planned costs. Each stage
 * has two classes: jobs that write checkpoints, and jobs that do not. */
static size_t class_of_job(const struct planned_job *job) {
    return 2 * job->stage + job->cost.checkpoints;
}

/* From the journal; `ranks` of its last start is "3,4". */
static void record_past_time(struct coordinator *c, size_t job) {
    const struct history_job *past = history_find(&c->history, c->f->jobs[job].identity);
    if (!past || past->state != HISTORY_DONE) return;
    struct job_record r = {.group = 1,
                           .seconds = past->seconds,
                           .share = past->share,
                           .found = past->found,
                           .made = past->made,
                           .checkpointed = past->total > 0.0};
    for (const char *at = strchr(past->ranks, ','); at; at = strchr(at + 1, ',')) r.group++;
    coordinator_record_time(c, job, &r);
}

/* What the job did, without the contexts that it found. */
static double cost_of_record(const struct planned_job *j, const struct job_record *r) {
    const double all = (double)(r->found + r->made);
    return j->cost.flops - (all > 0.0 ? j->cost.shared * (double)r->found / all : 0.0);
}

/* A job that resumed from a checkpoint and reports no share is ignored, because it is not known how
 * much of its work was done in these seconds. */
void coordinator_record_time(struct coordinator *c, size_t job, const struct job_record *r) {
    const struct planned_job *j = &c->f->jobs[job];
    if (r->share <= 0.0 && r->checkpointed) return;
    job_times_learn(c->job_times, class_of_job(j),
                    cost_of_record(j, r) * (r->share > 0.0 ? r->share : 1.0), r->group, r->seconds);
}

/* ---------------------------------------------------------------- the limit */

static void set_moments(struct coordinator *c) {
    double end = c->f->end > 0.0 ? c->f->end : (double)INFINITY;
    if (c->par->launched) end -= fmin(LAUNCHER_EXIT, LAUNCHER_EXIT_SHARE * (end - c->began));
    const double whole = end - c->began;
    const double before = fmin(STOP_SHARE_MOST * whole, STOP_LEAST + STOP_SHARE * whole);
    c->limit.end = end;
    c->limit.stop_at = end - fmin(STOP_BEFORE, before);
}

enum err_code coordinator_set_limit(struct coordinator *c, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t classes = 0;
    for (size_t i = 0; i < c->f->n_jobs; i++)
        if (class_of_job(&c->f->jobs[i]) >= classes) classes = class_of_job(&c->f->jobs[i]) + 1;
    TRY(job_times_create(&c->job_times, classes, err));
    for (size_t i = 0; i < c->f->n_jobs; i++) record_past_time(c, i);
    set_moments(c);
cleanup:
    return rc;
}

/* ---------------------------------------------------------------- what may still start */

/* Seconds that the job needs; 0: not known, and then it may start. A job that writes a checkpoint
 * when it is asked to stop needs at most the grace period that it would get. */
static double seconds_needed(const struct coordinator *c, size_t job, int group) {
    const struct planned_job *j = &c->f->jobs[job];
    const double whole = job_times_predict(c->job_times, class_of_job(j), j->cost.flops, group);
    return j->cost.checkpoints ? fmin(whole, coordinator_grace_period(c, c->limit.stop_at)) : whole;
}

static bool may_start(const void *context, size_t job, int group) {
    const struct coordinator *c = context;
    return seconds_needed(c, job, group) <= c->limit.seconds_left;
}

/* Called when no job is running and none of the remaining ones would finish in time. */
static void stop_early(struct coordinator *c) {
    char left[32];
    clock_span(left, c->limit.end - clock_now());
    log_line(&c->f->log, LOG_INFO, "none of the %zu remaining jobs can be finished in %s: stopping",
             queue_left(c->queue), left);
    coordinator_request_stop(c, STOP_REQUESTED);
}

bool coordinator_next_job(size_t *job, int *group, struct coordinator *c) {
    const bool limited = isfinite(c->limit.end);
    const struct queue_filter fits = {
        .may = limited ? may_start : NULL, .context = c, .near = c->affinity, .idle = c->idle};
    if (c->stop.step != STOP_NONE || c->n_idle == 0) return false;
    coordinator_list_idle(c);
    if (limited) c->limit.seconds_left = c->limit.stop_at - clock_now();
    if (queue_next(job, group, c->queue, c->n_idle, &fits)) return true;
    if (limited && c->n_running == 0 && queue_left(c->queue) > 0) stop_early(c);
    return false;
}
