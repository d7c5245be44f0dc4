/*
 * transport_local.h - the transport of a run of one rank, which sends to itself, without MPI.
 *
 * All messages arrive in the order in which they were sent, whatever their tag.  The box is not
 * used: no GROUP message has a receiver on one rank.
 */
#ifndef PAR_TRANSPORT_LOCAL_H
#define PAR_TRANSPORT_LOCAL_H

#include "par/transport.h"

struct transport_local_message; /* sent and not received yet */

struct transport_local {
    struct transport base;
    struct transport_local_message *first, **last;
    struct transport_local_message *received; /* the message handed out last */
};

void transport_local_init(struct transport_local *t);
void transport_local_release(struct transport_local *t); /* drops what was not received */

#endif
