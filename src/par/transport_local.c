#include "par/transport_local.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct transport_local_message {
    struct transport_local_message *next;
    enum message_tag tag;
    struct message_head head;
    unsigned char payload[];
};

static enum err_code local_send(struct transport *base, int rank, enum message_tag tag,
                                const struct message_head *head, const void *payload,
                                struct err *err) {
    struct transport_local *t = (struct transport_local *)base;
    const size_t size = (size_t)head->size;
    struct transport_local_message *message = malloc(sizeof *message + size);
    assert(rank == 0);
    (void)rank;
    if (!message) return ERR(err, ERR_MEMORY, "no memory for a message of %zu bytes", size);
    *message = (struct transport_local_message){.tag = tag, .head = *head};
    if (size > 0) memcpy(message->payload, payload, size);
    *t->last = message;
    t->last = &message->next;
    return ERR_OK;
}

static enum err_code local_send_in_place(struct transport *base, int rank, enum message_tag tag,
                                         const void *bytes, size_t size, bool *sent,
                                         struct err *err) {
    struct message_head head;
    assert(size >= sizeof head);
    memcpy(&head, bytes, sizeof head);
    *sent = true; /* local_send() copies */
    return local_send(base, rank, tag, &head, (const unsigned char *)bytes + sizeof head, err);
}

static enum err_code local_receive(bool *found, struct transport *base, int *rank,
                                   enum message_tag *tag, struct message_head *head,
                                   const void **payload, struct err *err) {
    struct transport_local *t = (struct transport_local *)base;
    (void)err;
    free(t->received);
    t->received = t->first;
    *found = t->first != NULL;
    if (!*found) return ERR_OK;
    t->first = t->received->next;
    if (!t->first) t->last = &t->first;
    *rank = 0;
    *tag = t->received->tag;
    *head = t->received->head;
    *payload = t->received->payload;
    return ERR_OK;
}

static bool local_is_sending(const struct transport *base) {
    (void)base;
    return false; /* what is sent has arrived */
}

void transport_local_init(struct transport_local *t) {
    static const struct transport_ops OPS = {local_send, local_send_in_place, local_receive,
                                             local_is_sending};
    *t = (struct transport_local){.base.ops = &OPS};
    t->last = &t->first;
}

void transport_local_release(struct transport_local *t) {
    while (t->first) {
        struct transport_local_message *message = t->first;
        t->first = message->next;
        free(message);
    }
    free(t->received);
    transport_local_init(t);
}
