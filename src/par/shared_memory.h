/*
 * shared_memory.h - memory that a supervisor and its compute child both see: two boxes, each for
 * one large letter between the ranks of a group, which would otherwise pass through the socket and
 * through half a dozen buffers.
 *
 * The child fills the outbox, the supervisor the inbox; whoever has emptied a box says so over the
 * socket (MESSAGE_SENT, MESSAGE_TAKEN), and nobody fills one of which that has not been said.  A
 * letter lies in its box as MPI carries it: head, then payload.
 */
#ifndef PAR_SHARED_MEMORY_H
#define PAR_SHARED_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Payloads from LEAST bytes on travel in boxes, if a box holds them. */
enum { SHARE_LEAST = 1 << 16, SHARE_BOX = 1 << 30 };

struct shared_memory {
    int fd;               /* -1: none; then everything passes through the socket */
    unsigned char *boxes; /* [2, SHARE_BOX]; pages exist once written to */
};

void shared_memory_create(
    struct shared_memory *s); /* the supervisor; none where memory is limited */
void shared_memory_open(struct shared_memory *s,
                        int fd); /* the child, from the file it was given; -1: none */
void shared_memory_release(struct shared_memory *s); /* idempotent */
bool shared_memory_fits(const struct shared_memory *s, size_t payload);

unsigned char *shared_memory_outbox(const struct shared_memory *s);
unsigned char *shared_memory_inbox(const struct shared_memory *s);

#endif
