/* How an attempt stops before its work is done: signals, the time limit, the grace period.
 * coordinator.h describes the steps (enum stop_step). */
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "par/coordinator.h"

/* How long a stop waits, in seconds. Slurm usually sends a signal at least 30 s before it kills; 15
 * s for checkpoints and 3 s for killed children leave some of that time for results.h5. */
static const double GRACE_PERIOD = 15.0;  /* for checkpoints, from the request to STOP_ABANDON */
static const double ABANDON_PERIOD = 3.0; /* for the ends of killed children to arrive */

/* Where less time is left, the two periods are these fractions of it. The rest, 0.28, is for
 * results.h5. */
static const double GRACE_SHARE = 0.6, ABANDON_SHARE = 0.12;

/* Seconds. A terminal signals both mpirun and this process, and mpirun passes its signal on to this
 * process: two signals within REPEAT_WITHIN count as one request. */
static const double REPEAT_WITHIN = 0.5;

/* Seconds. mpirun kills its processes 1 s after the TERM that it passes on. */
static const double LAUNCHER_KILLS_AFTER = 0.9;

double coordinator_grace_period(const struct coordinator *c, double asked) {
    return fmin(GRACE_PERIOD, GRACE_SHARE * (c->limit.end - asked));
}

static double abandon_period(const struct coordinator *c, double asked) {
    return fmin(ABANDON_PERIOD, ABANDON_SHARE * (c->limit.end - asked));
}

/* ---------------------------------------------------------------- request */

static void ask_to_stop(struct coordinator *c, const struct task *t) {
    const struct message_head head = {.kind = MESSAGE_STOP};
    for (int i = 0; i < t->group; i++)
        if (!c->ranks[t->ranks[i]].idle)
            (void)transport_send(c->transport, t->ranks[i], TAG_WORKER, &head, NULL, NULL);
}

void coordinator_request_stop(struct coordinator *c, enum stop_step step) {
    if (c->stop.step >= step) return;
    if (c->stop.step == STOP_NONE) c->stop.since = clock_now();
    c->stop.step = step;
    for (int i = 0; i < c->par->size && !c->f->in_process; i++) {
        const struct task *t = &c->tasks[i];
        if (!t->serial) continue;
        if (step == STOP_REQUESTED || c->f->jobs[t->job].cost.checkpoints) ask_to_stop(c, t);
    }
}

/* mpirun turns Ctrl-C and its other signals into TERM, whose name would read like a crash. */
static const char *signal_name(const struct coordinator *c, int number) {
    return number == SIGTERM && c->par->launched ? "Ctrl-C or SIGTERM, passed on by mpirun"
                                                 : strsignal(number);
}

static void receive_signal(struct coordinator *c, int number) {
    struct stop_state *s = &c->stop;
    const double now = clock_now();
    if (s->first_signal <= 0.0) {
        log_line(&c->f->log, LOG_INFO, "%s: stopping, running jobs are asked for a checkpoint",
                 signal_name(c, number));
        s->first_signal = now;
        s->signal_unwritten = number;
        coordinator_request_stop(c, STOP_REQUESTED);
    } else if (now - s->first_signal >= REPEAT_WITHIN && s->step != STOP_AT_ONCE) {
        log_line(&c->f->log, LOG_INFO, "%s again: stopping at once", signal_name(c, number));
        s->step = STOP_AT_ONCE;
    }
    if (number == SIGTERM && c->par->launched)
        c->limit.end = fmin(c->limit.end, now + LAUNCHER_KILLS_AFTER);
}

static void read_signals(struct coordinator *c) {
    struct signalfd_siginfo info;
    while (read(c->par->signals, &info, sizeof info) == (ssize_t)sizeof info)
        receive_signal(c, (int)info.ssi_signo);
}

/* Jobs that write no checkpoints were started because they were expected to be done by now: they
 * get the grace period too, without being asked. */
static void check_time_limit(struct coordinator *c) {
    if (c->stop.step != STOP_NONE || clock_now() < c->limit.stop_at) return;
    log_line(&c->f->log, LOG_INFO, "the time limit is near: stopping");
    coordinator_request_stop(c, STOP_TIME_LIMIT);
}

/* ---------------------------------------------------------------- end */

static void check_grace_period(struct coordinator *c) {
    struct stop_state *s = &c->stop;
    if (s->step != STOP_TIME_LIMIT && s->step != STOP_REQUESTED) return;
    if (clock_now() - s->since < coordinator_grace_period(c, s->since)) return;
    s->step = STOP_ABANDON;
    for (int i = 0; i < c->par->size; i++)
        if (c->tasks[i].serial) coordinator_abandon_task(c, &c->tasks[i], -1);
}

void coordinator_check_stop(struct coordinator *c) {
    read_signals(c);
    check_time_limit(c);
    check_grace_period(c);
}

bool coordinator_is_finished(const struct coordinator *c) {
    const struct stop_state *s = &c->stop;
    const double longest = coordinator_grace_period(c, s->since) + abandon_period(c, s->since);
    if (s->step == STOP_AT_ONCE) return true;
    if (s->step == STOP_ABANDON && clock_now() - s->since > longest) return true;
    return c->n_running == 0 && (s->step != STOP_NONE || queue_left(c->queue) == 0);
}
