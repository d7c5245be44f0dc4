/* The time limit: what jobs take, and which of them may still start. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "par/coordinator.h"

static const double LAUNCHER_END = 2.0; /* seconds that mpirun takes once rank 0 left with a code */

/* ---------------------------------------------------------------- what the jobs take */

/* From the jobs of earlier attempts; `ranks` is "3,4". */
static void learn_past(struct coordinator *c, size_t job) {
    const struct history_job *past = history_find(&c->past, c->f->jobs[job].identity);
    if (!past || past->state != HISTORY_DONE) return;
    int group = 1;
    for (const char *at = strchr(past->ranks, ','); at; at = strchr(at + 1, ',')) group++;
    coordinator_learn(c, job, group, past->seconds, past->share, past->total > 0.0);
}

void coordinator_learn(struct coordinator *c, size_t job, int group, double seconds, double share,
                       bool checkpointed) {
    const struct farm_job *j = &c->f->jobs[job];
    if (share <= 0.0 && checkpointed) return; /* who knows what these seconds were for */
    job_times_learn(c->pace, j->class, j->cost * (share > 0.0 ? share : 1.0), group, seconds);
}

enum err_code coordinator_set_limit(struct coordinator *c, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t classes = 0;
    for (size_t i = 0; i < c->f->n_jobs; i++)
        if (c->f->jobs[i].class >= classes) classes = c->f->jobs[i].class + 1;
    TRY(job_times_create(&c->pace, classes, err));
    for (size_t i = 0; i < c->f->n_jobs; i++) learn_past(c, i);
    double end = c->f->end > 0.0 ? c->f->end : (double)INFINITY;
    if (c->par->launched) end -= fmin(LAUNCHER_END, (end - c->began) / 5);
    const double most = end - c->began;
    c->limit.end = end;
    c->limit.stop_at = end - fmin(25.0, fmin(most / 5, 2.0 + most / 20));
cleanup:
    return rc;
}

/* ---------------------------------------------------------------- what may still start */

/* Until its end. One that leaves a checkpoint when it is asked needs no longer than it would be
 * given for that. 0: not known, and then it may try. */
static double seconds_needed(const struct coordinator *c, size_t job, int group) {
    const struct farm_job *j = &c->f->jobs[job];
    const double whole = job_times_predict(c->pace, j->class, j->cost, group);
    return j->checkpoints ? fmin(whole, coordinator_patience(c, c->limit.stop_at)) : whole;
}

static bool may_start(const void *context, size_t job, int group) {
    const struct coordinator *c = context;
    return seconds_needed(c, job, group) <= c->limit.left;
}

/* Nothing runs, and nothing that is left would come to an end: waiting would not change that. */
static void leave_early(struct coordinator *c) {
    char left[32];
    clock_span(left, c->limit.end - clock_now());
    log_line(&c->f->log, LOG_INFO, "none of the %zu jobs left can be finished in %s: leaving",
             queue_left(c->queue), left);
    coordinator_stop(c, LEAVE_ASKED);
}

bool coordinator_next(size_t *job, int *group, struct coordinator *c) {
    const bool limited = isfinite(c->limit.end);
    const struct queue_filter fits = {limited ? may_start : NULL, c};
    if (c->leave.step != LEAVE_NOT || c->n_idle == 0) return false;
    if (limited) c->limit.left = c->limit.stop_at - clock_now();
    if (queue_next(job, group, c->queue, c->n_idle, &fits)) return true;
    if (limited && c->n_running == 0 && queue_left(c->queue) > 0) leave_early(c);
    return false;
}
