/*
 * transport.h - messages between ranks: sent without waiting, received by looking.
 */
#ifndef PAR_TRANSPORT_H
#define PAR_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/text.h"
#include "par/message.h"

struct transport_letter; /* one that is under way */

struct transport_box {    /* where large GROUP messages are received; while it is full they wait
                             outside */
    unsigned char *bytes; /* NULL: no box, they are received like all others */
    size_t least, size;   /* from how many bytes of payload on, and what fits, head included */
    bool full;
};

struct transport {
    struct transport_letter *first, **last; /* not yet taken over by MPI */
    struct text in;                         /* the message handed out last, if not in the box */
    struct transport_box box;
    double patience;
};

/* patience: seconds for the rest of a letter of which a part has arrived. */
void transport_init(struct transport *m, double patience);

/* A copy of head and payload goes to `rank`, this one included; messages of one tag between two
 * ranks keep their order. ERR_DATA for 2 GiB and more. */
enum err_code transport_send(struct transport *m, int rank, enum message_tag tag,
                             const struct message_head *head, const void *payload, struct err *err);

/* The same for a whole letter, head and payload, that lies where it can stay: it is not copied, and
 * *back becomes true once MPI needs it no more. */
enum err_code transport_lend(struct transport *m, int rank, enum message_tag tag,
                             const void *letter, size_t size, bool *back, struct err *err);

/* The next message, if one has arrived; *payload lives until the next call. One received in the box
 * has its payload there, and the caller says when the box is full. ERR_MPI when the sender of half
 * a letter has died. */
enum err_code transport_next(bool *found, struct transport *m, int *rank, enum message_tag *tag,
                             struct message_head *head, const void **payload, struct err *err);

bool transport_under_way(const struct transport *m);

/* Waits until everything is sent, `patience` seconds at most; then frees what may be freed. */
void transport_release(struct transport *m, double patience);

#endif
