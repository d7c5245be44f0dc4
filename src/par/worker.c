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

static const double PROGRESS_EVERY = 0.5; /* seconds between two reports of progress, or more: */
static const double PROGRESS_RATE = 2000; /* reports a second that the coordinator gets in all */
static const double ALIVE_COUNT = 6;      /* ALIVE messages per par.silence: five may be late */

/* Lengths of a sleep in seconds: the shortest, right after an event; the longest while a GROUP
 * message is expected, without a job, and with a job (a message of the child ends the sleep
 * anyway). */
static const double SLEEP_LEAST = 1e-5, SLEEP_GROUP = 1e-4, SLEEP_IDLE = 1e-3, SLEEP_BUSY = 2e-2;

/* Seconds without sleep while a large message is being sent; longer if the receiver does not take
 * it. */
static const double SENDING_AWAKE = 2e-2;

enum { REASON_MOST = 400 }; /* bytes of the reason of a failure */

void worker_init(struct worker *w, struct transport *transport, const struct par *p) {
    *w = (struct worker){
        .transport = transport, .size = p->size, .alive_every = p->silence / ALIVE_COUNT};
    child_pipe_init(&w->pipe, -1);
    w->relay.memory.fd = w->errors.fd = -1;
    w->suspension.now = w->last_heard = w->last_report = w->last_event = clock_now();
}

void worker_drop_child(struct worker *w) {
    if (w->pid > 0) (void)child_process_reap(w->pid, true);
    child_stderr_read(&w->errors);
    w->pid = 0;
    w->busy = w->waiting = w->progress_due = false;
    group_relay_drop_child(w);
    child_pipe_release(&w->pipe);
    child_stderr_release(&w->errors);
}

void worker_release(struct worker *w) {
    worker_drop_child(w);
    free(w->ranks);
    w->ranks = NULL;
    group_relay_release(w);
}

/* ---------------------------------------------------------------- to the coordinator */

static enum err_code send_report(struct worker *w, const struct message_head *head,
                                 const void *payload, struct err *err) {
    w->last_report = clock_now();
    return transport_send(w->transport, 0, TAG_COORDINATOR, head, payload, err);
}

static enum err_code report_end(struct worker *w, enum message_kind kind, int code,
                                const char *reason, struct err *err) {
    const struct message_head head = {.kind = kind,
                                      .code = code,
                                      .from = w->order.group_rank,
                                      .serial = w->serial,
                                      .size = strlen(reason)};
    return send_report(w, &head, reason, err);
}

static enum err_code report_progress(struct worker *w, struct err *err) {
    const struct message_head head = {.kind = MESSAGE_PROGRESS,
                                      .from = w->order.group_rank,
                                      .serial = w->serial,
                                      .a = w->done,
                                      .b = w->total};
    w->progress_due = false;
    return send_report(w, &head, NULL, err);
}

/* ---------------------------------------------------------------- from the coordinator */

/* Starts a child unless there is one. One that died without a job is replaced: no job failed. */
static enum err_code ensure_child(struct worker *w, struct err *err) {
    enum err_code rc = ERR_OK;
    int fd = -1, errors = -1;
    if (w->pid > 0) TRY(child_pipe_fill(&w->pipe, false, err));
    if (w->pid > 0 && w->pipe.ended) worker_drop_child(w);
    if (w->pid > 0) return ERR_OK;
    if (!w->relay.memory.boxes) shared_memory_create(&w->relay.memory);
    child_stderr_release(&w->errors);
    TRY(child_stderr_open(&w->errors, &errors, err));
    TRY(child_process_start(&w->pid, &fd, w->relay.memory.fd, errors, err));
    child_pipe_init(&w->pipe, fd);
cleanup:
    if (errors >= 0) close(errors);
    return rc;
}

static enum err_code read_order(struct worker *w, const struct message_head *head,
                                const void *payload, struct err *err) {
    memcpy(&w->order, payload, sizeof w->order);
    const size_t bytes = (size_t)w->order.group_size * sizeof *w->ranks;
    int32_t *ranks = realloc(w->ranks, bytes);
    if (!ranks) return ERR(err, ERR_MEMORY, "no memory for a group of %d", w->order.group_size);
    memcpy(ranks, (const unsigned char *)payload + sizeof w->order, bytes);
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
        return report_end(w, MESSAGE_FATAL, (int)why.code, why.msg, err);
    TRY(child_pipe_post(&w->pipe, head, payload, err));
    w->busy = true;
    w->waiting = false;
    w->child_last_heard = clock_now();
    TRY(group_relay_begin(w, err));
    if (w->order.inject == INJECT_KILL_RANK) inject_trigger(INJECT_KILL);
cleanup:
    return rc;
}

static enum err_code abandon_job(struct worker *w, uint64_t serial, struct err *err) {
    if (!w->busy || w->serial != serial) return ERR_OK; /* it has reported its end */
    worker_drop_child(w);
    return report_end(w, MESSAGE_STOPPED, 0, "", err);
}

enum err_code worker_receive(struct worker *w, const struct message_head *head, const void *payload,
                             struct err *err) {
    if (head->kind != MESSAGE_GROUP) {
        w->last_heard = clock_now();
        w->heard_once = true;
    }
    if (head->kind != MESSAGE_PING) w->last_event = clock_now();
    switch (head->kind) {
    case MESSAGE_ORDER:
        return take_order(w, head, payload, err);
    case MESSAGE_GROUP:
        return group_relay_deliver(w, head, payload, err);
    case MESSAGE_STOP:
        return w->busy ? child_pipe_post(&w->pipe, head, payload, err) : ERR_OK;
    case MESSAGE_ABANDON:
        return abandon_job(w, head->serial, err);
    case MESSAGE_PING:
        return ERR_OK;
    case MESSAGE_ATTEMPT_ENDED:
        w->attempt_ended = true;
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

static enum err_code receive_from_child(struct worker *w, const struct message_head *head,
                                        const void *payload, struct err *err) {
    if (head->kind == MESSAGE_INBOX_EMPTY) group_relay_open_inbox(w);
    if (!w->busy || head->serial != w->serial) return ERR_OK;
    w->waiting = head->kind == MESSAGE_WAITING;
    switch (head->kind) {
    case MESSAGE_INBOX_EMPTY:
        return ERR_OK;
    case MESSAGE_OUTBOX_FULL:
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
    return send_report(w, head, payload, err);
}

/* The child is dead: its job has failed. The reason is made from its wait status and stderr. */
static enum err_code report_death(struct worker *w, struct err *err) {
    char reason[REASON_MOST];
    const bool busy = w->busy;
    const int status = child_process_reap(w->pid, false);
    const enum failure failure = child_process_failure(reason, sizeof reason, status);
    child_stderr_read(&w->errors);
    child_stderr_append(reason, sizeof reason, &w->errors);
    w->pid = 0;
    worker_drop_child(w);
    return busy ? report_end(w, MESSAGE_FAILED, (int)failure, reason, err) : ERR_OK;
}

static enum err_code check_progress(struct worker *w, struct err *err) {
    char reason[REASON_MOST];
    if (!w->busy || w->waiting || w->pipe.ended) return ERR_OK;
    const double silent = w->suspension.now - w->child_last_heard;
    if (silent < w->order.hang_after) return ERR_OK;
    (void)snprintf(reason, sizeof reason, "no progress for %.0f s: the compute child was killed",
                   silent);
    child_stderr_append(reason, sizeof reason, &w->errors);
    worker_drop_child(w);
    return report_end(w, MESSAGE_FAILED, FAILURE_HANG, reason, err);
}

static enum err_code watch_child(struct worker *w, struct err *err) {
    enum err_code rc = ERR_OK;
    struct message_head head;
    const void *payload;
    child_stderr_read(&w->errors);
    TRY(child_pipe_flush(&w->pipe, err));
    TRY(child_pipe_fill(&w->pipe, false, err));
    while (w->pid > 0 && child_pipe_next(&w->pipe, &head, &payload)) {
        w->child_last_heard = clock_now();
        if (head.kind != MESSAGE_PROGRESS) w->last_event = w->child_last_heard;
        TRY(receive_from_child(w, &head, payload, err));
        if (head.kind == MESSAGE_FAILED) worker_drop_child(w); /* the next job gets a new child */
    }
    if (w->pid > 0 && w->pipe.ended) TRY(report_death(w, err));
    TRY(group_relay_tick(w, err));
    TRY(check_progress(w, err));
cleanup:
    return rc;
}

/* Seconds between two reports of progress: more with many ranks, since the coordinator receives the
 * reports of all. */
static double progress_every(const struct worker *w) {
    const double every = (double)w->size / PROGRESS_RATE;
    return every > PROGRESS_EVERY ? every : PROGRESS_EVERY;
}

enum err_code worker_tick(struct worker *w, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct message_head alive = {.kind = MESSAGE_ALIVE};
    suspension_tick(&w->suspension, clock_now());
    suspension_move(&w->child_last_heard, &w->suspension);
    suspension_move(&w->last_heard, &w->suspension);
    if (w->pid > 0) TRY(watch_child(w, err));
    const double quiet = clock_now() - w->last_report;
    if (w->progress_due && quiet >= progress_every(w))
        TRY(report_progress(w, err));
    else if (quiet >= w->alive_every)
        TRY(send_report(w, &alive, NULL, err));
cleanup:
    return rc;
}

/* Short after an event, and longer the longer nothing happens. While a large message is being sent
 * there is no sleep, because MPI sends a part of it at every call. */
static double sleep_length(const struct worker *w, double most) {
    const double quiet = clock_now() - w->last_event;
    double limit = w->busy ? SLEEP_BUSY : SLEEP_IDLE;
    if (transport_is_sending(w->transport) && quiet < SENDING_AWAKE) return 0.0;
    if (w->waiting || transport_is_sending(w->transport)) limit = SLEEP_GROUP;
    if (limit > most) limit = most;
    return fmax(SLEEP_LEAST, fmin(quiet / 8, limit));
}

void worker_sleep(const struct worker *w, double most) {
    const double seconds = sleep_length(w, most);
    const struct timespec t = {0, (long)(1e9 * seconds)};
    struct pollfd child = {.fd = w->pipe.fd, .events = POLLIN};
    if (child_pipe_has_unsent(&w->pipe)) child.events |= POLLOUT;
    (void)ppoll(&child, 1, &t, NULL);
}
