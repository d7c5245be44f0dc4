/* How an attempt comes to its end before its work does: signals, the clock, and patience. */
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "par/coordinator.h"
#include "sched/event.h"

static const double STOP_PATIENCE = 15.0, ABANDON_PATIENCE = 3.0; /* seconds */
static const double SAME_REQUEST = 0.5; /* a terminal tells mpirun and us; mpirun tells us too */
/* From mpirun's TERM to its KILL; and as long it takes to end after rank 0 left with a code. */
static const double LAUNCHER_END = 2.0;  /* mpirun takes them once rank 0 has left with a code */
static const double LAUNCHER_KILL = 0.9; /* it kills 1 s after the TERM that it passes on */

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
    pace_learn(c->pace, j->class, j->cost * (share > 0.0 ? share : 1.0), group, seconds);
}

enum err_code coordinator_set_limit(struct coordinator *c, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t classes = 0;
    for (size_t i = 0; i < c->f->n_jobs; i++)
        if (c->f->jobs[i].class >= classes) classes = c->f->jobs[i].class + 1;
    TRY(pace_create(&c->pace, classes, err));
    for (size_t i = 0; i < c->f->n_jobs; i++) learn_past(c, i);
    c->end = c->f->end > 0.0 ? c->f->end : (double)INFINITY;
    if (c->par->launched) c->end -= fmin(LAUNCHER_END, (c->end - c->began) / 5);
    const double most = c->end - c->began;
    c->stop_at = c->end - fmin(25.0, fmin(most / 5, 2.0 + most / 20));
cleanup:
    return rc;
}

/* ---------------------------------------------------------------- what may still start */

/* Seconds after the request to leave; what then remains of a time limit is for results.h5. */
static double stop_patience(const struct coordinator *c, double asked) {
    return fmin(STOP_PATIENCE, 0.6 * (c->end - asked));
}

static double abandon_patience(const struct coordinator *c, double asked) {
    return fmin(ABANDON_PATIENCE, 0.12 * (c->end - asked));
}

/* Until its end. One that leaves a checkpoint when it is asked needs no longer than it would be
 * given for that. 0: not known, and then it may try. */
static double seconds_needed(const struct coordinator *c, size_t job, int group) {
    const struct farm_job *j = &c->f->jobs[job];
    const double whole = pace_predict(c->pace, j->class, j->cost, group);
    return j->checkpoints ? fmin(whole, stop_patience(c, c->stop_at)) : whole;
}

static bool may_start(const void *context, size_t job, int group) {
    const struct coordinator *c = context;
    return seconds_needed(c, job, group) <= c->time_left;
}

/* Nothing runs, and nothing that is left would come to an end: waiting would not change that. */
static void leave_early(struct coordinator *c) {
    char left[32];
    clock_span(left, c->end - clock_now());
    log_line(&c->f->log, LOG_INFO, "none of the %zu jobs left can be finished in %s: leaving",
             queue_left(c->queue), left);
    c->stopped = true;
    coordinator_stop(c, false, NULL);
}

bool coordinator_next(size_t *job, int *group, struct coordinator *c) {
    const bool limited = isfinite(c->end);
    const struct queue_filter fits = {limited ? may_start : NULL, c};
    if (c->stopping || c->n_idle == 0) return false;
    if (limited) c->time_left = c->stop_at - clock_now();
    if (queue_next(job, group, c->queue, c->n_idle, &fits)) return true;
    if (limited && c->n_running == 0 && queue_left(c->queue) > 0) leave_early(c);
    return false;
}

/* ---------------------------------------------------------------- asked to leave */

static void ask(struct coordinator *c, const struct task *t, struct err *err) {
    const struct message_head head = {.kind = MESSAGE_STOP};
    for (int i = 0; i < t->group; i++)
        if (!c->seats[t->ranks[i]].idle)
            (void)mail_send(c->mail, t->ranks[i], TAG_WORKER, &head, NULL, err);
}

void coordinator_stop(struct coordinator *c, bool spare, struct err *err) {
    if (c->stopping && !c->spared) return;
    if (!c->stopping) c->stop_since = clock_now();
    c->stopping = true;
    c->spared = spare;
    for (int i = 0; i < c->par->size && !c->f->in_process; i++) {
        const struct task *t = &c->tasks[i];
        if (t->serial && !(spare && !c->f->jobs[t->job].checkpoints)) ask(c, t, err);
    }
}

enum err_code coordinator_note_request(struct coordinator *c, struct err *err) {
    enum err_code rc = ERR_OK;
    if (c->request == 0) return ERR_OK;
    event_begin(&c->line, EVENT_LEAVE);
    event_text(&c->line, "signal", strsignal(c->request));
    c->request = 0;
    TRY(coordinator_append_built(c, err));
    TRY(journal_flush(&c->journal, err));
cleanup:
    return rc;
}

static void hear_signal(struct coordinator *c, int number) {
    const double now = clock_now();
    if (c->signalled <= 0.0) {
        log_line(&c->f->log, LOG_INFO, "%s: leaving, jobs in work are asked to checkpoint",
                 strsignal(number));
        c->signalled = now;
        c->request = number;
    } else if (now - c->signalled >= SAME_REQUEST && !c->at_once) {
        log_line(&c->f->log, LOG_INFO, "%s again: leaving at once", strsignal(number));
        c->at_once = true;
    }
    if (number == SIGTERM && c->par->launched) c->end = fmin(c->end, now + LAUNCHER_KILL);
    c->stopped = true;
    coordinator_stop(c, false, NULL);
}

static void read_signals(struct coordinator *c) {
    struct signalfd_siginfo info;
    while (read(c->par->signals, &info, sizeof info) == (ssize_t)sizeof info)
        hear_signal(c, (int)info.ssi_signo);
}

/* Jobs that leave no checkpoints were started because they would be done by now: they get this
 * patience too, without being asked. */
static void read_clock(struct coordinator *c) {
    if (c->stopping || clock_now() < c->stop_at) return;
    log_line(&c->f->log, LOG_INFO, "the time limit is near: leaving");
    c->stopped = true;
    coordinator_stop(c, true, NULL);
}

static void end_patience(struct coordinator *c) {
    if (!c->stopping || c->abandoned ||
        clock_now() - c->stop_since < stop_patience(c, c->stop_since))
        return;
    c->abandoned = true;
    for (int i = 0; i < c->par->size; i++)
        if (c->tasks[i].serial) coordinator_abandon(c, &c->tasks[i], -1);
}

void coordinator_watch(struct coordinator *c) {
    read_signals(c);
    read_clock(c);
    end_patience(c);
}

bool coordinator_is_through(const struct coordinator *c) {
    const double asked = c->stop_since;
    const double most = stop_patience(c, asked) + abandon_patience(c, asked);
    if (c->at_once || (c->abandoned && clock_now() - c->stop_since > most)) return true;
    return c->n_running == 0 && (c->stopping || queue_left(c->queue) == 0);
}
