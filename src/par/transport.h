/*
 * transport.h - messages between ranks: sent without waiting, received by polling.
 *
 * This is the interface that coordinator, worker and group relay use.  transport_mpi.h implements
 * it over MPI, transport_local.h for one rank without MPI; tests/par/fake_transport.h records what
 * is sent, so that each of the three can be tested in one process.
 */
#ifndef PAR_TRANSPORT_H
#define PAR_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "par/message.h"

struct transport_box {    /* where large GROUP messages are received */
    unsigned char *bytes; /* NULL: there is no box, large messages are received like all others */
    size_t least, size;   /* smallest payload that goes there; what fits, head included */
    bool full;            /* set by the receiver; while it is full, large messages stay with MPI */
};

struct transport;

struct transport_ops {
    enum err_code (*send)(struct transport *t, int rank, enum message_tag tag,
                          const struct message_head *head, const void *payload, struct err *err);
    enum err_code (*send_in_place)(struct transport *t, int rank, enum message_tag tag,
                                   const void *message, size_t size, bool *sent, struct err *err);
    enum err_code (*receive)(bool *found, struct transport *t, int *rank, enum message_tag *tag,
                             struct message_head *head, const void **payload, struct err *err);
    bool (*is_sending)(const struct transport *t);
};

struct transport { /* first member of every implementation */
    const struct transport_ops *ops;
    struct transport_box box;
};

/* A copy of head and payload goes to `rank`, this one included. Messages of one tag between two
 * ranks keep their order. ERR_DATA for 2 GiB and more. */
enum err_code transport_send(struct transport *t, int rank, enum message_tag tag,
                             const struct message_head *head, const void *payload, struct err *err);

/* The same for a whole message (head, then payload) that is not copied: `message` must stay as it
 * is until *sent becomes true, which a later call of transport_receive() does. */
enum err_code transport_send_in_place(struct transport *t, int rank, enum message_tag tag,
                                      const void *message, size_t size, bool *sent,
                                      struct err *err);

/* The next message, if one has arrived; *payload is valid until the next call. The payload of a
 * message received in the box lies there, and the caller sets box.full. ERR_MPI when the sender of
 * a message died in the middle of it. */
enum err_code transport_receive(bool *found, struct transport *t, int *rank, enum message_tag *tag,
                                struct message_head *head, const void **payload, struct err *err);

/* Whether some message is still being sent. */
bool transport_is_sending(const struct transport *t);

#endif
