/*
 * group_relay.h - GROUP letters between a rank's compute child and the other ranks of its group.
 *
 * Small ones pass through the child's socket, large ones lie in the two boxes of share.h.  The
 * inbox is MPI's to fill while mail->box says so.  The outbox belongs to one side at a time:
 *
 *     RELAY_EMPTY      nobody's: told to the child as soon as it has a job of a group
 *     RELAY_GRANTED    the child's to fill; it says so by MESSAGE_OUTBOX
 *     RELAY_LENT       MPI's, which sends from it, and so it stays when the child dies
 */
#ifndef PAR_GROUP_RELAY_H
#define PAR_GROUP_RELAY_H

#include <stdbool.h>

#include "base/err.h"
#include "par/message.h"
#include "par/shared_memory.h"

struct worker;
struct group_relay_letter;

enum group_relay_outbox { RELAY_EMPTY, RELAY_GRANTED, RELAY_LENT };

struct group_relay {
    struct shared_memory share; /* with the child, and the next one */
    enum group_relay_outbox outbox;
    bool back;                        /* LENT: MPI needs it no more */
    struct group_relay_letter *early; /* came before their order; in order of arrival */
};

/* From another rank: to the child, or kept until its order is here. */
enum err_code group_relay_deliver(struct worker *w, const struct message_head *head,
                                  const void *payload, struct err *err);

/* The child has an order: what came before it follows. */
enum err_code group_relay_begin(struct worker *w, struct err *err);

/* From the child to another rank: what came over its socket, or what lies in the outbox. */
enum err_code group_relay_send(struct worker *w, const struct message_head *head,
                               const void *payload, struct err *err);
enum err_code group_relay_send_outbox(struct worker *w, struct err *err);

/* The child has emptied its inbox. */
void group_relay_open_inbox(struct worker *w);

/* Tells the child once that its outbox is empty. */
enum err_code group_relay_tick(struct worker *w, struct err *err);

void group_relay_drop_child(struct worker *w); /* there is none any more */
void group_relay_release(struct worker *w);

#endif
