/*
 * transport_mpi.h - the transport over MPI_COMM_WORLD; the only user of MPI's point-to-point calls.
 *
 * Nothing blocks: sends are MPI_Isend, receives are MPI_Iprobe first.  A blocking MPI_Recv would
 * keep a core busy, and would never return after its sender died.
 */
#ifndef PAR_TRANSPORT_MPI_H
#define PAR_TRANSPORT_MPI_H

#include "base/text.h"
#include "par/transport.h"

struct transport_mpi_send; /* one message that is still being sent */

struct transport_mpi {
    struct transport base;
    struct transport_mpi_send *first, **last;
    struct text in; /* the message handed out last, if it is not in the box */
    double timeout; /* seconds that the rest of a message may take once a part has arrived */
};

void transport_mpi_init(struct transport_mpi *t, double timeout);

/* Waits at most `seconds` until everything is sent, then frees what MPI no longer needs. */
void transport_mpi_release(struct transport_mpi *t, double seconds);

#endif
