#include "par/group_relay.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "par/worker.h"

struct early_message {
    struct early_message *next;
    struct message_head head;
    unsigned char payload[];
};

/* ---------------------------------------------------------------- to the child */

static enum err_code keep_early(struct group_relay *r, const struct message_head *head,
                                const void *payload, struct err *err) {
    struct early_message *message = malloc(sizeof *message + (size_t)head->size);
    if (!message)
        return ERR(err, ERR_MEMORY, "no memory for a message of %zu bytes", (size_t)head->size);
    *message = (struct early_message){.head = *head};
    memcpy(message->payload, payload, (size_t)head->size);
    struct early_message **last = &r->early;
    while (*last) last = &(*last)->next;
    *last = message;
    return ERR_OK;
}

/* A message that was received in the inbox stays there; the child is notified. */
static enum err_code deliver_to_child(struct worker *w, const struct message_head *head,
                                      const void *payload, struct err *err) {
    const struct message_head full = {.kind = MESSAGE_INBOX_FULL, .serial = head->serial};
    struct transport_box *box = &w->transport->box;
    w->waiting = false;
    w->child_last_heard = clock_now();
    if (!box->bytes || payload != box->bytes + sizeof *head)
        return child_pipe_post(&w->pipe, head, payload, err);
    box->full = true;
    return child_pipe_post(&w->pipe, &full, NULL, err);
}

enum err_code group_relay_deliver(struct worker *w, const struct message_head *head,
                                  const void *payload, struct err *err) {
    if (w->busy && head->serial == w->serial) return deliver_to_child(w, head, payload, err);
    if (head->serial <= w->serial) return ERR_OK; /* its task has ended here */
    return keep_early(&w->relay, head, payload, err);
}

/* Drops the early messages of tasks up to `serial`. */
static void drop_early(struct group_relay *r, uint64_t serial) {
    struct early_message **at = &r->early;
    while (*at) {
        struct early_message *message = *at;
        if (message->head.serial > serial) {
            at = &message->next;
            continue;
        }
        *at = message->next;
        free(message);
    }
}

enum err_code group_relay_begin(struct worker *w, struct err *err) {
    enum err_code rc = ERR_OK;
    for (struct early_message *at = w->relay.early; at; at = at->next)
        if (at->head.serial == w->serial)
            TRY(child_pipe_post(&w->pipe, &at->head, at->payload, err));
    drop_early(&w->relay, w->serial);
cleanup:
    return rc;
}

void group_relay_open_inbox(struct worker *w) {
    w->transport->box = (struct transport_box){.bytes = shared_memory_inbox(&w->relay.memory),
                                               .least = SHARED_MEMORY_LEAST,
                                               .size = SHARED_MEMORY_BOX};
}

/* ---------------------------------------------------------------- from the child */

static enum err_code check_receiver(const struct worker *w, const struct message_head *head,
                                    struct err *err) {
    if (head->to >= 0 && head->to < w->order.group_size) return ERR_OK;
    return ERR(err, ERR_BUG, "a job sent a message to rank %d of a group of %d", head->to,
               w->order.group_size);
}

enum err_code group_relay_send(struct worker *w, const struct message_head *head,
                               const void *payload, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(check_receiver(w, head, err));
    TRY(transport_send(w->transport, w->ranks[head->to], TAG_GROUP, head, payload, err));
cleanup:
    return rc;
}

enum err_code group_relay_send_outbox(struct worker *w, struct err *err) {
    enum err_code rc = ERR_OK;
    const unsigned char *message = shared_memory_outbox(&w->relay.memory);
    struct message_head head;
    memcpy(&head, message, sizeof head);
    TRY(check_receiver(w, &head, err));
    TRY(transport_send_in_place(w->transport, w->ranks[head.to], TAG_GROUP, message,
                                sizeof head + (size_t)head.size, &w->relay.sent, err));
    w->relay.outbox = RELAY_SENDING;
cleanup:
    return rc;
}

enum err_code group_relay_tick(struct worker *w, struct err *err) {
    const struct message_head empty = {.kind = MESSAGE_OUTBOX_EMPTY, .serial = w->serial};
    struct group_relay *r = &w->relay;
    if (r->outbox == RELAY_SENDING && r->sent) r->outbox = RELAY_EMPTY;
    if (r->outbox != RELAY_EMPTY || !w->busy || w->order.group_size == 1 || !r->memory.boxes)
        return ERR_OK;
    r->outbox = RELAY_GRANTED;
    return child_pipe_post(&w->pipe, &empty, NULL, err);
}

/* ---------------------------------------------------------------- ends */

void group_relay_drop_child(struct worker *w) {
    w->transport->box = (struct transport_box){0};
    if (w->relay.outbox == RELAY_GRANTED) w->relay.outbox = RELAY_EMPTY;
}

void group_relay_release(struct worker *w) {
    struct group_relay *r = &w->relay;
    drop_early(r, UINT64_MAX);
    if (r->outbox != RELAY_SENDING || r->sent) /* else MPI may still read there: left mapped */
        shared_memory_release(&r->memory);
}
