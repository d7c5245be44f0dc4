/* How an attempt leaves before its work is done: signals, the clock, and patience. The steps stand
 * in coordinator.h. */
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "journal/event.h"
#include "par/coordinator.h"

static const double STOP_PATIENCE = 15.0, ABANDON_PATIENCE = 3.0; /* seconds */
static const double SAME_REQUEST = 0.5;  /* a terminal tells mpirun and us; mpirun tells us too */
static const double LAUNCHER_KILL = 0.9; /* mpirun kills 1 s after the TERM that it passes on */

/* What remains of a time limit after both is for results.h5. */
double coordinator_patience(const struct coordinator *c, double asked) {
    return fmin(STOP_PATIENCE, 0.6 * (c->limit.end - asked));
}

static double abandon_patience(const struct coordinator *c, double asked) {
    return fmin(ABANDON_PATIENCE, 0.12 * (c->limit.end - asked));
}

/* ---------------------------------------------------------------- asked to leave */

static void ask(struct coordinator *c, const struct task *t) {
    const struct message_head head = {.kind = MESSAGE_STOP};
    for (int i = 0; i < t->group; i++)
        if (!c->seats[t->ranks[i]].idle)
            (void)transport_send(c->mail, t->ranks[i], TAG_WORKER, &head, NULL, NULL);
}

void coordinator_stop(struct coordinator *c, enum leave_step step) {
    if (c->leave.step >= step) return;
    if (c->leave.step == LEAVE_NOT) c->leave.since = clock_now();
    c->leave.step = step;
    for (int i = 0; i < c->par->size && !c->f->in_process; i++) {
        const struct task *t = &c->tasks[i];
        if (!t->serial) continue;
        if (step == LEAVE_ASKED || c->f->jobs[t->job].checkpoints) ask(c, t);
    }
}

enum err_code coordinator_note_request(struct coordinator *c, struct err *err) {
    enum err_code rc = ERR_OK;
    if (c->leave.request == 0) return ERR_OK;
    event_begin(&c->line, EVENT_LEAVE);
    event_text(&c->line, "signal", strsignal(c->leave.request));
    c->leave.request = 0;
    TRY(coordinator_append_built(c, err));
    TRY(journal_flush(&c->journal, err));
cleanup:
    return rc;
}

static void hear_signal(struct coordinator *c, int number) {
    struct leave *l = &c->leave;
    const double now = clock_now();
    if (l->signalled <= 0.0) {
        log_line(&c->f->log, LOG_INFO, "%s: leaving, jobs in work are asked to checkpoint",
                 strsignal(number));
        l->signalled = now;
        l->request = number;
        coordinator_stop(c, LEAVE_ASKED);
    } else if (now - l->signalled >= SAME_REQUEST && l->step != LEAVE_AT_ONCE) {
        log_line(&c->f->log, LOG_INFO, "%s again: leaving at once", strsignal(number));
        l->step = LEAVE_AT_ONCE;
    }
    if (number == SIGTERM && c->par->launched)
        c->limit.end = fmin(c->limit.end, now + LAUNCHER_KILL);
}

static void read_signals(struct coordinator *c) {
    struct signalfd_siginfo info;
    while (read(c->par->signals, &info, sizeof info) == (ssize_t)sizeof info)
        hear_signal(c, (int)info.ssi_signo);
}

/* Jobs that leave no checkpoints were started because they would be done by now: they get this
 * patience too, without being asked. */
static void read_clock(struct coordinator *c) {
    if (c->leave.step != LEAVE_NOT || clock_now() < c->limit.stop_at) return;
    log_line(&c->f->log, LOG_INFO, "the time limit is near: leaving");
    coordinator_stop(c, LEAVE_SPARING);
}

static void end_patience(struct coordinator *c) {
    struct leave *l = &c->leave;
    if (l->step != LEAVE_SPARING && l->step != LEAVE_ASKED) return;
    if (clock_now() - l->since < coordinator_patience(c, l->since)) return;
    l->step = LEAVE_ABANDONED;
    for (int i = 0; i < c->par->size; i++)
        if (c->tasks[i].serial) coordinator_abandon(c, &c->tasks[i], -1);
}

void coordinator_watch(struct coordinator *c) {
    read_signals(c);
    read_clock(c);
    end_patience(c);
}

bool coordinator_is_through(const struct coordinator *c) {
    const struct leave *l = &c->leave;
    const double most = coordinator_patience(c, l->since) + abandon_patience(c, l->since);
    if (l->step == LEAVE_AT_ONCE) return true;
    if (l->step == LEAVE_ABANDONED && clock_now() - l->since > most) return true;
    return c->n_running == 0 && (l->step != LEAVE_NOT || queue_left(c->queue) == 0);
}
