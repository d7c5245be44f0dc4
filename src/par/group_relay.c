#include "par/group_relay.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "par/worker.h"

struct group_relay_letter {
    struct group_relay_letter *next;
    struct message_head head;
    unsigned char payload[];
};

/* ---------------------------------------------------------------- to the child */

static enum err_code keep_early(struct group_relay *r, const struct message_head *head,
                                const void *payload, struct err *err) {
    struct group_relay_letter *letter = malloc(sizeof *letter + (size_t)head->size);
    if (!letter)
        return ERR(err, ERR_MEMORY, "no memory for a message of %zu bytes", (size_t)head->size);
    *letter = (struct group_relay_letter){.head = *head};
    memcpy(letter->payload, payload, (size_t)head->size);
    struct group_relay_letter **last = &r->early;
    while (*last) last = &(*last)->next;
    *last = letter;
    return ERR_OK;
}

/* A letter in the inbox stays there; the child is told. */
static enum err_code give(struct worker *w, const struct message_head *head, const void *payload,
                          struct err *err) {
    const struct message_head inbox = {.kind = MESSAGE_INBOX, .serial = head->serial};
    struct transport_box *box = &w->mail->box;
    w->waiting = false;
    w->last_life = clock_now();
    if (!box->bytes || payload != box->bytes + sizeof *head)
        return child_pipe_post(&w->pipe, head, payload, err);
    box->full = true;
    return child_pipe_post(&w->pipe, &inbox, NULL, err);
}

enum err_code group_relay_deliver(struct worker *w, const struct message_head *head,
                                  const void *payload, struct err *err) {
    if (w->busy && head->serial == w->serial) return give(w, head, payload, err);
    if (head->serial <= w->serial) return ERR_OK; /* of a job that is over */
    return keep_early(&w->relay, head, payload, err);
}

/* Drops what came early for orders up to `serial`. */
static void drop_early(struct group_relay *r, uint64_t serial) {
    struct group_relay_letter **at = &r->early;
    while (*at) {
        struct group_relay_letter *letter = *at;
        if (letter->head.serial > serial) {
            at = &letter->next;
            continue;
        }
        *at = letter->next;
        free(letter);
    }
}

enum err_code group_relay_begin(struct worker *w, struct err *err) {
    enum err_code rc = ERR_OK;
    for (struct group_relay_letter *at = w->relay.early; at; at = at->next)
        if (at->head.serial == w->serial)
            TRY(child_pipe_post(&w->pipe, &at->head, at->payload, err));
    drop_early(&w->relay, w->serial);
cleanup:
    return rc;
}

void group_relay_open_inbox(struct worker *w) {
    w->mail->box = (struct transport_box){
        .bytes = shared_memory_inbox(&w->relay.share), .least = SHARE_LEAST, .size = SHARE_BOX};
}

/* ---------------------------------------------------------------- from the child */

static enum err_code check_receiver(const struct worker *w, const struct message_head *head,
                                    struct err *err) {
    if (head->to >= 0 && head->to < w->o.group_size) return ERR_OK;
    return ERR(err, ERR_BUG, "a job sent to rank %d of a group of %d", head->to, w->o.group_size);
}

enum err_code group_relay_send(struct worker *w, const struct message_head *head,
                               const void *payload, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(check_receiver(w, head, err));
    TRY(transport_send(w->mail, w->ranks[head->to], TAG_GROUP, head, payload, err));
cleanup:
    return rc;
}

enum err_code group_relay_send_outbox(struct worker *w, struct err *err) {
    enum err_code rc = ERR_OK;
    const unsigned char *letter = shared_memory_outbox(&w->relay.share);
    struct message_head head;
    memcpy(&head, letter, sizeof head);
    TRY(check_receiver(w, &head, err));
    TRY(transport_lend(w->mail, w->ranks[head.to], TAG_GROUP, letter,
                       sizeof head + (size_t)head.size, &w->relay.back, err));
    w->relay.outbox = RELAY_LENT;
cleanup:
    return rc;
}

enum err_code group_relay_tick(struct worker *w, struct err *err) {
    const struct message_head sent = {.kind = MESSAGE_SENT, .serial = w->serial};
    struct group_relay *r = &w->relay;
    if (r->outbox == RELAY_LENT && r->back) r->outbox = RELAY_EMPTY;
    if (r->outbox != RELAY_EMPTY || !w->busy || w->o.group_size == 1 || !r->share.boxes)
        return ERR_OK;
    r->outbox = RELAY_GRANTED;
    return child_pipe_post(&w->pipe, &sent, NULL, err);
}

/* ---------------------------------------------------------------- ends */

void group_relay_drop_child(struct worker *w) {
    w->mail->box = (struct transport_box){0};
    if (w->relay.outbox == RELAY_GRANTED) w->relay.outbox = RELAY_EMPTY;
}

void group_relay_release(struct worker *w) {
    struct group_relay *r = &w->relay;
    drop_early(r, UINT64_MAX);
    if (r->outbox != RELAY_LENT || r->back)
        shared_memory_release(&r->share); /* MPI may still read there */
}
