/*
 * share.h - memory that a supervisor and its compute child both see: two boxes, each for one large
 * letter between the ranks of a group, which would otherwise pass through the socket and through
 * half a dozen buffers.
 *
 * The child fills the outbox, the supervisor the inbox; whoever has emptied a box says so over the
 * socket (MESSAGE_SENT, MESSAGE_TAKEN), and nobody fills one of which that has not been said.  A
 * letter lies in its box as MPI carries it: head, then payload.
 */
#ifndef PAR_SHARE_H
#define PAR_SHARE_H

#include <stdbool.h>
#include <stddef.h>

/* Payloads from LEAST bytes on travel in boxes, if a box holds them. */
enum { SHARE_LEAST = 1 << 16, SHARE_BOX = 1 << 30 };

struct share {
    int fd;               /* -1: none; then everything passes through the socket */
    unsigned char *boxes; /* [2, SHARE_BOX]; pages exist once written to */
};

void share_create(struct share *s);       /* the supervisor; none where memory is limited */
void share_open(struct share *s, int fd); /* the child, from the file it was given; -1: none */
void share_release(struct share *s);      /* idempotent */
bool share_fits(const struct share *s, size_t payload);

unsigned char *share_outbox(const struct share *s);
unsigned char *share_inbox(const struct share *s);

#endif
