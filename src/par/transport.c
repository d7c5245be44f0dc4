#include "par/transport.h"

enum err_code transport_send(struct transport *t, int rank, enum message_tag tag,
                             const struct message_head *head, const void *payload,
                             struct err *err) {
    return t->ops->send(t, rank, tag, head, payload, err);
}

enum err_code transport_send_in_place(struct transport *t, int rank, enum message_tag tag,
                                      const void *message, size_t size, bool *sent,
                                      struct err *err) {
    return t->ops->send_in_place(t, rank, tag, message, size, sent, err);
}

enum err_code transport_receive(bool *found, struct transport *t, int *rank, enum message_tag *tag,
                                struct message_head *head, const void **payload, struct err *err) {
    return t->ops->receive(found, t, rank, tag, head, payload, err);
}

bool transport_is_sending(const struct transport *t) { return t->ops->is_sending(t); }
