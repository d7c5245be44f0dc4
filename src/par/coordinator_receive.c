/* Handles the messages of the ranks: how each kind changes its task. */
#include <string.h>

#include "base/clock.h"
#include "par/coordinator.h"

/* A system error, not an error of the job: the attempt ends and the job stays pending. */
static void receive_fatal(struct coordinator *c, struct task *t, int rank,
                          const struct message_head *head, const char *reason) {
    t->stopped = true;
    if (c->fatal.code == ERR_OK)
        (void)ERR(&c->fatal, (enum err_code)head->code, "%s on rank %d: %.*s",
                  c->f->jobs[t->job].label, rank, (int)(head->size < 500 ? head->size : 500),
                  reason);
    coordinator_abandon_task(c, t, rank);
    coordinator_request_stop(c, STOP_REQUESTED);
}

static enum err_code receive_end(struct coordinator *c, struct task *t, int rank,
                                 const struct message_head *head, const void *payload,
                                 struct err *err) {
    c->ranks[rank].idle = true;
    c->n_idle++;
    switch (head->kind) {
    case MESSAGE_DONE:
        if (head->from != 0) break; /* rank 0 of the group has the result */
        t->done = true;
        t->seconds = head->a;
        memcpy(&t->result, payload, sizeof t->result);
        break;
    case MESSAGE_FAILED:
        coordinator_fail_task(c, t, rank, (enum failure)head->code, payload, (size_t)head->size);
        break;
    case MESSAGE_FATAL:
        receive_fatal(c, t, rank, head, payload);
        break;
    default:
        t->stopped = true;
        break;
    }
    return --t->unfinished == 0 ? coordinator_end_task(c, t, err) : ERR_OK;
}

static void receive_shards(struct task *t, const struct message_head *head) {
    if (head->from < 0 || head->from >= t->group) return;
    t->shards[2 * head->from] = head->a;
    t->shards[2 * head->from + 1] = head->b;
}

/* A message of a task that has ended only shows that the rank is alive. Rows of a task that failed
 * are dropped, but each of its ranks must still report its end. */
enum err_code coordinator_receive(struct coordinator *c, int rank, const struct message_head *head,
                                  const void *payload, struct err *err) {
    struct task *t = coordinator_find_task(c, head->serial);
    c->ranks[rank].last_heard = clock_now();
    if (!t) return ERR_OK;
    t->last_report = c->ranks[rank].last_heard;
    switch (head->kind) {
    case MESSAGE_LINES:
        return t->failed ? ERR_OK : coordinator_append_lines(c, payload, (size_t)head->size, err);
    case MESSAGE_PROGRESS:
        if (head->from == 0 && head->b > 0.0) queue_progress(c->queue, t->job, head->a / head->b);
        return ERR_OK;
    case MESSAGE_CHECKPOINT:
        c->checkpointed[t->job] = true;
        return coordinator_append_checkpoint(c, t, head->a, head->b, err);
    case MESSAGE_SHARDS:
        receive_shards(t, head);
        return ERR_OK;
    case MESSAGE_DONE:
    case MESSAGE_FAILED:
    case MESSAGE_FATAL:
    case MESSAGE_STOPPED:
        return receive_end(c, t, rank, head, payload, err);
    default:
        return ERR_OK;
    }
}
