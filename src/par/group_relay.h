/*
 * group_relay.h - GROUP messages between a rank's compute child and the other ranks of its group.
 *
 * Small ones pass through the child's socket; large ones lie in the two boxes of shared_memory.h
 * and are sent and received in place.  The inbox is free for the transport while
 * transport->box.full is false.  The outbox is in one of three states:
 *
 *     RELAY_EMPTY      free; reported to the child as soon as it has a job of a group
 *     RELAY_GRANTED    the child may fill it; it reports MESSAGE_OUTBOX_FULL
 *     RELAY_SENDING    the transport sends from it, and continues if the child dies
 */
#ifndef PAR_GROUP_RELAY_H
#define PAR_GROUP_RELAY_H

#include <stdbool.h>

#include "base/err.h"
#include "par/message.h"
#include "par/shared_memory.h"

struct worker;
struct early_message;

enum group_relay_outbox { RELAY_EMPTY, RELAY_GRANTED, RELAY_SENDING };

struct group_relay {
    struct shared_memory memory; /* of this child, and of the one after it */
    enum group_relay_outbox outbox;
    bool sent;                   /* SENDING: the transport no longer needs the outbox */
    struct early_message *early; /* arrived before their order; in order of arrival */
};

/* From another rank: to the child, or kept until the order of that task is here. Messages of a task
 * that has ended are dropped. */
enum err_code group_relay_deliver(struct worker *w, const struct message_head *head,
                                  const void *payload, struct err *err);

/* The child has its order: the messages that came before it follow. */
enum err_code group_relay_begin(struct worker *w, struct err *err);

/* From the child to another rank: a message from its socket, or the one in the outbox. ERR_BUG for
 * a rank that the group does not have. */
enum err_code group_relay_send(struct worker *w, const struct message_head *head,
                               const void *payload, struct err *err);
enum err_code group_relay_send_outbox(struct worker *w, struct err *err);

/* The child has emptied its inbox. */
void group_relay_open_inbox(struct worker *w);

/* Reports to the child, once, that its outbox is empty. */
enum err_code group_relay_tick(struct worker *w, struct err *err);

void group_relay_drop_child(struct worker *w); /* the child is gone */
void group_relay_release(struct worker *w);

#endif
