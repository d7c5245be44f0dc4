#include "par/coordinator.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "journal/event.h"
#include "par/coordinator_faults.h"

static const char *identity_of(const struct coordinator *c, const struct task *t) {
    return c->f->jobs[t->job].identity;
}

/* ---------------------------------------------------------------- the journal */

enum err_code coordinator_append(struct coordinator *c, const char *line, size_t size,
                                 struct err *err) {
    const enum inject_kind fault = inject_find(&c->inject, true, c->journal.lines);
    if (fault != INJECT_NONE) return fault_at_line(c, fault, line, size, err);
    journal_add(&c->journal, line, size);
    return ERR_OK;
}

enum err_code coordinator_append_built(struct coordinator *c, struct err *err) {
    enum err_code rc = ERR_OK;
    event_end(&c->line);
    TRY(text_check(&c->line, err));
    TRY(coordinator_append(c, c->line.data, c->line.size, err));
cleanup:
    return rc;
}

static enum err_code append_lines(struct coordinator *c, const char *lines, size_t size,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    while (size > 0) {
        const char *end = memchr(lines, '\n', size);
        CHECK(end, ERR_BUG, "a journal line without its end");
        const size_t n = (size_t)(end - lines) + 1;
        TRY(coordinator_append(c, lines, n, err));
        lines += n;
        size -= n;
    }
cleanup:
    return rc;
}

static enum err_code append_start(struct coordinator *c, const struct task *t, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text ranks = {0};
    for (int i = 0; i < t->group; i++) text_add(&ranks, i ? ",%d" : "%d", (int)t->ranks[i]);
    TRY(text_check(&ranks, err));
    event_begin(&c->line, EVENT_START);
    event_text(&c->line, "job", identity_of(c, t));
    event_text(&c->line, "ranks", text_str(&ranks));
    event_integer(&c->line, "serial", (int64_t)t->serial);
    event_integer(&c->line, "ms", (int64_t)(1e3 * (clock_now() - c->began)));
    TRY(coordinator_append_built(c, err));
cleanup:
    text_release(&ranks);
    return rc;
}

/* "0:0-1,1:2-3": group rank, first and last shard; a rank without shards is left out. */
static void add_shards(struct text *out, const struct task *t) {
    for (int i = 0; i < t->group; i++) {
        const double first = t->shards[2 * i], n = t->shards[2 * i + 1];
        if (n >= 1.0)
            text_add(out, "%s%d:%.0f-%.0f", out->size ? "," : "", i, first, first + n - 1.0);
    }
}

static enum err_code append_done(struct coordinator *c, const struct task *t, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text shards = {0};
    add_shards(&shards, t);
    TRY(text_check(&shards, err));
    event_begin(&c->line, EVENT_DONE);
    event_text(&c->line, "job", identity_of(c, t));
    event_integer(&c->line, "rows", (int64_t)t->end.rows);
    event_real(&c->line, "seconds", t->seconds);
    event_real(&c->line, "share", t->end.share);
    event_integer(&c->line, "artifact", t->end.artifact);
    event_integer(&c->line, "bytes", (int64_t)t->end.bytes);
    event_text(&c->line, "sha256", t->end.sha256);
    event_text(&c->line, "shards", text_str(&shards));
    TRY(coordinator_append_built(c, err));
cleanup:
    text_release(&shards);
    return rc;
}

static enum err_code append_failed(struct coordinator *c, const struct task *t, struct err *err) {
    event_begin(&c->line, EVENT_FAILED);
    event_text(&c->line, "job", identity_of(c, t));
    event_text(&c->line, "class", failure_text(t->why));
    event_text(&c->line, "reason", t->reason);
    return coordinator_append_built(c, err);
}

/* ---------------------------------------------------------------- tasks */

static struct task *task_of(struct coordinator *c, uint64_t serial) {
    for (int i = 0; serial && i < c->par->size; i++)
        if (c->tasks[i].serial == serial) return &c->tasks[i];
    return NULL;
}

static void free_task(struct task *t) {
    free(t->ranks);
    free(t->shards);
    *t = (struct task){0};
}

void coordinator_abandon(struct coordinator *c, struct task *t, int but_rank) {
    const struct message_head head = {.kind = MESSAGE_ABANDON, .serial = t->serial};
    for (int i = 0; i < t->group; i++)
        if (t->ranks[i] != but_rank && !c->seats[t->ranks[i]].idle)
            (void)transport_send(c->mail, t->ranks[i], TAG_WORKER, &head, NULL, NULL);
}

static enum err_code settle_done(struct coordinator *c, struct task *t, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(append_done(c, t, err));
    coordinator_learn(c, t->job, t->group, t->seconds, t->end.share, c->checkpointed[t->job]);
    queue_done(c->queue, t->job);
    if (c->checkpointed[t->job]) c->finished[c->n_finished++] = t->job;
    c->done_now++;
cleanup:
    return rc;
}

static enum err_code settle_failed(struct coordinator *c, struct task *t, struct err *err) {
    enum err_code rc = ERR_OK;
    log_line(&c->f->log, LOG_WARNING, "%s failed (%s): %s", c->f->jobs[t->job].label,
             failure_text(t->why), t->reason);
    TRY(append_failed(c, t, err));
    queue_failed(c->queue, t->job);
    c->failed_now++;
cleanup:
    return rc;
}

static enum err_code settle_let_go(struct coordinator *c, struct task *t, struct err *err) {
    enum err_code rc = ERR_OK;
    event_begin(&c->line, EVENT_STOPPED);
    event_text(&c->line, "job", identity_of(c, t));
    TRY(coordinator_append_built(c, err));
    queue_stopped(c->queue, t->job);
cleanup:
    return rc;
}

/* All ranks of the group have ended. */
static enum err_code settle(struct coordinator *c, struct task *t, struct err *err) {
    enum err_code rc = ERR_OK;
    if (t->failed)
        rc = settle_failed(c, t, err);
    else if (t->done && !t->let_go)
        rc = settle_done(c, t, err);
    else
        rc = settle_let_go(c, t, err);
    free_task(t);
    c->n_running--;
    return rc;
}

void coordinator_fail(struct coordinator *c, struct task *t, int rank, enum failure why,
                      const char *reason, size_t size) {
    if (t->failed) return;
    t->failed = true;
    t->why = why;
    (void)snprintf(t->reason, sizeof t->reason, "%.*s", (int)(size < 500 ? size : 500), reason);
    coordinator_abandon(c, t, rank);
}

/* Not the job's fault: the attempt ends, the job stays pending. */
static void note_fatal(struct coordinator *c, struct task *t, int rank,
                       const struct message_head *head, const char *reason) {
    t->let_go = true;
    if (c->fatal.code == ERR_OK)
        (void)ERR(&c->fatal, (enum err_code)head->code, "%s on rank %d: %.*s",
                  c->f->jobs[t->job].label, rank, (int)(head->size < 500 ? head->size : 500),
                  reason);
    coordinator_abandon(c, t, rank);
    coordinator_stop(c, LEAVE_ASKED);
}

static enum err_code hear_end(struct coordinator *c, struct task *t, int rank,
                              const struct message_head *head, const void *payload,
                              struct err *err) {
    c->seats[rank].idle = true;
    c->n_idle++;
    switch (head->kind) {
    case MESSAGE_DONE:
        if (head->from != 0) break;
        t->done = true;
        t->seconds = head->a;
        memcpy(&t->end, payload, sizeof t->end);
        break;
    case MESSAGE_FAILED:
        coordinator_fail(c, t, rank, (enum failure)head->code, payload, (size_t)head->size);
        break;
    case MESSAGE_FATAL:
        note_fatal(c, t, rank, head, payload);
        break;
    default:
        t->let_go = true;
        break;
    }
    return --t->left == 0 ? settle(c, t, err) : ERR_OK;
}

static enum err_code hear_checkpoint(struct coordinator *c, const struct task *t,
                                     const struct message_head *head, struct err *err) {
    c->checkpointed[t->job] = true;
    event_begin(&c->line, EVENT_CHECKPOINT);
    event_text(&c->line, "job", identity_of(c, t));
    event_real(&c->line, "done", head->a);
    event_real(&c->line, "total", head->b);
    event_integer(&c->line, "ms", (int64_t)(1e3 * (clock_now() - c->began)));
    return coordinator_append_built(c, err);
}

enum err_code coordinator_hear(struct coordinator *c, int rank, const struct message_head *head,
                               const void *payload, struct err *err) {
    struct task *t = task_of(c, head->serial);
    c->seats[rank].last_heard = clock_now();
    if (!t) return ERR_OK; /* a sign of life, or of a job that is over */
    t->last_report = c->seats[rank].last_heard;
    switch (head->kind) {
    case MESSAGE_LINES:
        return t->failed ? ERR_OK : append_lines(c, payload, (size_t)head->size, err);
    case MESSAGE_PROGRESS:
        if (head->from == 0 && head->b > 0.0) queue_progress(c->queue, t->job, head->a / head->b);
        return ERR_OK;
    case MESSAGE_CHECKPOINT:
        return hear_checkpoint(c, t, head, err);
    case MESSAGE_SHARDS:
        if (head->from >= 0 && head->from < t->group) {
            t->shards[2 * head->from] = head->a;
            t->shards[2 * head->from + 1] = head->b;
        }
        return ERR_OK;
    case MESSAGE_DONE:
    case MESSAGE_FAILED:
    case MESSAGE_FATAL:
    case MESSAGE_STOPPED:
        return hear_end(c, t, rank, head, payload, err);
    default:
        return ERR_OK;
    }
}

/* ---------------------------------------------------------------- handing out */

static struct task *new_task(struct coordinator *c, size_t job, int group, struct err *err) {
    struct task *t = c->tasks;
    while (t->serial) t++;
    *t = (struct task){.serial = ++c->serial, .job = job, .group = group, .left = group};
    t->ranks = calloc((size_t)group, sizeof *t->ranks);
    t->shards = calloc((size_t)group * 2, sizeof *t->shards);
    t->last_report = clock_now();
    c->n_running++;
    if (t->ranks && t->shards) return t;
    (void)ERR(err, ERR_MEMORY, "no memory for a group of %d", group);
    free_task(t);
    return NULL;
}

static void take_seats(struct coordinator *c, struct task *t) {
    int n = 0;
    for (int rank = 0; n < t->group; rank++) {
        assert(rank < c->par->size);
        if (!c->seats[rank].idle) continue;
        c->seats[rank].idle = false;
        c->seats[rank].serial = t->serial;
        t->ranks[n++] = rank;
    }
    c->n_idle -= t->group;
}

static void put_order(struct text *out, const struct coordinator *c, const struct task *t, int i,
                      const char *order) {
    const struct farm_job *job = &c->f->jobs[t->job];
    enum inject_kind fault = inject_find(&c->inject, false, t->job);
    if (fault_is_ours(fault) || (i != t->group - 1 && !inject_is_storage(fault)))
        fault = INJECT_NONE;
    const struct message_order o = {.group_rank = i,
                                    .group_size = t->group,
                                    .inject = (int32_t)fault,
                                    .memory = c->f->memory,
                                    .planned = job->memory,
                                    .hang_after = c->f->hang_after > 0 ? c->f->hang_after : 600.0};
    text_clear(out);
    text_bytes(out, &o, sizeof o);
    text_bytes(out, t->ranks, (size_t)t->group * sizeof *t->ranks);
    text_bytes(out, job->identity, strlen(job->identity) + 1);
    text_bytes(out, c->dir, strlen(c->dir) + 1);
    text_bytes(out, order, strlen(order) + 1);
}

static enum err_code send_orders(struct coordinator *c, const struct task *t, const char *order,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    struct text payload = {0};
    for (int i = 0; i < t->group; i++) {
        put_order(&payload, c, t, i, order);
        TRY(text_check(&payload, err));
        const struct message_head head = {
            .kind = MESSAGE_ORDER, .serial = t->serial, .size = payload.size};
        TRY(transport_send(c->mail, t->ranks[i], TAG_WORKER, &head, payload.data, err));
    }
cleanup:
    text_release(&payload);
    return rc;
}

/* A task with its order text, its ranks and its start line. */
static enum err_code begin_task(struct task **out, struct coordinator *c, size_t job, int group,
                                struct text *order, struct err *err) {
    enum err_code rc = ERR_OK;
    struct task *t = new_task(c, job, group, err);
    if (!t) return ERR_MEMORY;
    TRY(c->f->order(order, job, c->f->context, err));
    TRY(text_check(order, err));
    take_seats(c, t);
    TRY(append_start(c, t, err));
    *out = t;
cleanup:
    return rc;
}

enum err_code coordinator_begin_here(struct coordinator *c, size_t job, struct text *order,
                                     uint64_t *serial, enum inject_kind *fault, struct err *err) {
    enum err_code rc = ERR_OK;
    struct task *t = NULL;
    TRY(begin_task(&t, c, job, 1, order, err));
    TRY(fault_of_job(c, job, err));
    *serial = t->serial;
    *fault = inject_find(&c->inject, false, job);
cleanup:
    return rc;
}

static enum err_code hand_out(struct coordinator *c, size_t job, int group, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text order = {0};
    struct task *t = NULL;
    TRY(begin_task(&t, c, job, group, &order, err));
    TRY(send_orders(c, t, text_str(&order), err));
    TRY(fault_of_job(c, job, err));
cleanup:
    text_release(&order);
    return rc;
}

enum err_code coordinator_dispatch(struct coordinator *c, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t job;
    int group;
    while (coordinator_next(&job, &group, c)) TRY(hand_out(c, job, group, err));
cleanup:
    return rc;
}
