#include "par/worker.h"

#include <assert.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "par/child_process.h"
#include "par/inject.h"

static const double PROGRESS_EVERY = 0.5, LIVES = 6; /* seconds; signs of life before silence */
static const double PROGRESS_RATE = 2000; /* messages a second that all ranks together may send */
static const double NAP_LEAST = 1e-5, NAP_GROUP = 1e-4, NAP_IDLE = 1e-3, NAP_BUSY = 2e-2;
static const double LEAVING = 2e-2; /* seconds that a large letter may take to leave */

enum { REASON_MOST = 400 }; /* bytes */

void worker_init(struct worker *w, struct transport *mail, const struct par *p) {
    *w = (struct worker){.mail = mail, .size = p->size, .alive_every = p->silence / LIVES};
    child_pipe_init(&w->pipe, -1);
    w->relay.share.fd = w->words.fd = -1;
    w->pause.now = w->last_heard = w->last_said = w->last_news = clock_now();
}

void worker_drop_child(struct worker *w) {
    if (w->pid > 0) (void)child_process_reap(w->pid, true);
    child_stderr_listen(&w->words);
    w->pid = 0;
    w->busy = w->waiting = w->progress_due = false;
    group_relay_drop_child(w);
    child_pipe_release(&w->pipe);
    child_stderr_release(&w->words);
}

void worker_release(struct worker *w) {
    worker_drop_child(w);
    free(w->ranks);
    w->ranks = NULL;
    group_relay_release(w);
}

/* ---------------------------------------------------------------- to the coordinator */

static enum err_code tell(struct worker *w, const struct message_head *head, const void *payload,
                          struct err *err) {
    w->last_said = clock_now();
    return transport_send(w->mail, 0, TAG_COORDINATOR, head, payload, err);
}

static enum err_code tell_end(struct worker *w, enum message_kind kind, int code,
                              const char *reason, struct err *err) {
    const struct message_head head = {.kind = kind,
                                      .code = code,
                                      .from = w->o.group_rank,
                                      .serial = w->serial,
                                      .size = strlen(reason)};
    return tell(w, &head, reason, err);
}

static enum err_code tell_progress(struct worker *w, struct err *err) {
    const struct message_head head = {.kind = MESSAGE_PROGRESS,
                                      .from = w->o.group_rank,
                                      .serial = w->serial,
                                      .a = w->done,
                                      .b = w->total};
    w->progress_due = false;
    return tell(w, &head, NULL, err);
}

/* ---------------------------------------------------------------- from the coordinator */

/* A child that died while it had nothing to do is nobody's fault: a new one takes its place. */
static enum err_code ensure_child(struct worker *w, struct err *err) {
    enum err_code rc = ERR_OK;
    int fd = -1, errors = -1;
    if (w->pid > 0) TRY(child_pipe_fill(&w->pipe, false, err));
    if (w->pid > 0 && w->pipe.ended) worker_drop_child(w);
    if (w->pid > 0) return ERR_OK;
    if (!w->relay.share.boxes) shared_memory_create(&w->relay.share);
    child_stderr_release(&w->words);
    TRY(child_stderr_open(&w->words, &errors, err));
    TRY(child_process_start(&w->pid, &fd, w->relay.share.fd, errors, err));
    child_pipe_init(&w->pipe, fd);
cleanup:
    if (errors >= 0) close(errors);
    return rc;
}

static enum err_code read_order(struct worker *w, const struct message_head *head,
                                const void *payload, struct err *err) {
    memcpy(&w->o, payload, sizeof w->o);
    const size_t bytes = (size_t)w->o.group_size * sizeof *w->ranks;
    int32_t *ranks = realloc(w->ranks, bytes);
    if (!ranks) return ERR(err, ERR_MEMORY, "no memory for a group of %d", w->o.group_size);
    memcpy(ranks, (const unsigned char *)payload + sizeof w->o, bytes);
    w->ranks = ranks;
    w->serial = head->serial;
    return ERR_OK;
}

static enum err_code take_order(struct worker *w, const struct message_head *head,
                                const void *payload, struct err *err) {
    enum err_code rc = ERR_OK;
    struct err why = {0};
    assert(!w->busy);
    TRY(read_order(w, head, payload, err));
    if (ensure_child(w, &why) != ERR_OK)
        return tell_end(w, MESSAGE_FATAL, (int)why.code, why.msg, err);
    TRY(child_pipe_post(&w->pipe, head, payload, err));
    w->busy = true;
    w->waiting = false;
    w->last_life = clock_now();
    TRY(group_relay_begin(w, err));
    if (w->o.inject == INJECT_KILL_RANK) inject_strike(INJECT_KILL);
cleanup:
    return rc;
}

static enum err_code abandon(struct worker *w, uint64_t serial, struct err *err) {
    if (!w->busy || w->serial != serial) return ERR_OK; /* its own end is on the way */
    worker_drop_child(w);
    return tell_end(w, MESSAGE_STOPPED, 0, "", err);
}

enum err_code worker_hear(struct worker *w, const struct message_head *head, const void *payload,
                          struct err *err) {
    if (head->kind != MESSAGE_GROUP) {
        w->last_heard = clock_now();
        w->met = true;
    }
    if (head->kind != MESSAGE_PING) w->last_news = clock_now();
    switch (head->kind) {
    case MESSAGE_ORDER:
        return take_order(w, head, payload, err);
    case MESSAGE_GROUP:
        return group_relay_deliver(w, head, payload, err);
    case MESSAGE_STOP:
        return w->busy ? child_pipe_post(&w->pipe, head, payload, err) : ERR_OK;
    case MESSAGE_ABANDON:
        return abandon(w, head->serial, err);
    case MESSAGE_PING:
        return ERR_OK;
    case MESSAGE_ENDING:
        w->ended = true;
        worker_drop_child(w);
        return ERR_OK;
    case MESSAGE_RELEASE:
        w->released = true;
        return ERR_OK;
    default:
        return ERR(err, ERR_BUG, "a worker cannot read message %u", head->kind);
    }
}

/* ---------------------------------------------------------------- from the child */

static enum err_code hear_child(struct worker *w, const struct message_head *head,
                                const void *payload, struct err *err) {
    if (head->kind == MESSAGE_TAKEN) group_relay_open_inbox(w);
    if (!w->busy || head->serial != w->serial) return ERR_OK;
    w->waiting = head->kind == MESSAGE_WAITING;
    switch (head->kind) {
    case MESSAGE_TAKEN:
        return ERR_OK;
    case MESSAGE_OUTBOX:
        return group_relay_send_outbox(w, err);
    case MESSAGE_GROUP:
        return group_relay_send(w, head, payload, err);
    case MESSAGE_WAITING:
        return ERR_OK;
    case MESSAGE_PROGRESS:
        w->done = head->a;
        w->total = head->b;
        w->progress_due = true;
        return ERR_OK;
    case MESSAGE_DONE:
    case MESSAGE_FAILED:
    case MESSAGE_FATAL:
    case MESSAGE_STOPPED:
        w->busy = w->waiting = w->progress_due = false;
        break;
    default:
        break;
    }
    return tell(w, head, payload, err);
}

static enum err_code bury(struct worker *w, struct err *err) {
    char reason[REASON_MOST];
    const bool busy = w->busy;
    const int status = child_process_reap(w->pid, false);
    const enum failure verdict = child_process_verdict(reason, sizeof reason, status);
    child_stderr_listen(&w->words);
    child_stderr_append(reason, sizeof reason, &w->words);
    w->pid = 0;
    worker_drop_child(w);
    return busy ? tell_end(w, MESSAGE_FAILED, (int)verdict, reason, err) : ERR_OK;
}

static enum err_code watch_for_hang(struct worker *w, struct err *err) {
    char reason[REASON_MOST];
    if (!w->busy || w->waiting || w->pipe.ended) return ERR_OK;
    const double silent = w->pause.now - w->last_life;
    if (silent < w->o.hang_after) return ERR_OK;
    (void)snprintf(reason, sizeof reason, "no progress for %.0f s: the compute child was ended",
                   silent);
    child_stderr_append(reason, sizeof reason, &w->words);
    worker_drop_child(w);
    return tell_end(w, MESSAGE_FAILED, FAILURE_HANG, reason, err);
}

static enum err_code tend_child(struct worker *w, struct err *err) {
    enum err_code rc = ERR_OK;
    struct message_head head;
    const void *payload;
    child_stderr_listen(&w->words);
    TRY(child_pipe_flush(&w->pipe, err));
    TRY(child_pipe_fill(&w->pipe, false, err));
    while (w->pid > 0 && child_pipe_next(&w->pipe, &head, &payload)) {
        w->last_life = clock_now();
        if (head.kind != MESSAGE_PROGRESS) w->last_news = w->last_life;
        TRY(hear_child(w, &head, payload, err));
        if (head.kind == MESSAGE_FAILED) worker_drop_child(w); /* the next job gets a clean one */
    }
    if (w->pid > 0 && w->pipe.ended) TRY(bury(w, err));
    TRY(group_relay_tick(w, err));
    TRY(watch_for_hang(w, err));
cleanup:
    return rc;
}

/* Seldom where ranks are many: the coordinator hears them all. */
static double progress_every(const struct worker *w) {
    const double every = (double)w->size / PROGRESS_RATE;
    return every > PROGRESS_EVERY ? every : PROGRESS_EVERY;
}

enum err_code worker_tick(struct worker *w, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct message_head alive = {.kind = MESSAGE_ALIVE};
    suspension_tick(&w->pause, clock_now());
    suspension_move(&w->last_life, &w->pause);
    suspension_move(&w->last_heard, &w->pause);
    if (w->pid > 0) TRY(tend_child(w, err));
    const double quiet = clock_now() - w->last_said;
    if (w->progress_due && quiet >= progress_every(w))
        TRY(tell_progress(w, err));
    else if (quiet >= w->alive_every)
        TRY(tell(w, &alive, NULL, err));
cleanup:
    return rc;
}

/* Short after news, longer the longer nothing happens. A large letter leaves piece by piece, some
 * at every look: no nap while one does, unless nobody takes it. */
static double nap_length(const struct worker *w, double most) {
    const double quiet = clock_now() - w->last_news;
    double limit = w->busy ? NAP_BUSY : NAP_IDLE; /* a child that wants something says so */
    if (transport_under_way(w->mail) && quiet < LEAVING) return 0.0;
    if (w->waiting || transport_under_way(w->mail)) limit = NAP_GROUP;
    if (limit > most) limit = most;
    return fmax(NAP_LEAST, fmin(quiet / 8, limit));
}

void worker_nap(const struct worker *w, double most) {
    const double seconds = nap_length(w, most);
    const struct timespec t = {0, (long)(1e9 * seconds)};
    struct pollfd child = {.fd = w->pipe.fd, .events = POLLIN};
    if (child_pipe_has_unsent(&w->pipe)) child.events |= POLLOUT;
    (void)ppoll(&child, 1, &t, NULL);
}
