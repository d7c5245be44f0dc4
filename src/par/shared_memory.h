/*
 * shared_memory.h - memory shared by a supervisor and its compute child: two boxes, each for one
 * large message between the ranks of a group, which would otherwise be copied through the socket
 * and several buffers.
 *
 * The child fills the outbox, the supervisor the inbox.  Whoever has emptied a box reports that
 * over the socket (MESSAGE_OUTBOX_EMPTY by the supervisor, MESSAGE_INBOX_EMPTY by the child), and a
 * box is filled only after such a report.  A message in a box has the layout that MPI transfers:
 * head, then payload.
 */
#ifndef PAR_SHARED_MEMORY_H
#define PAR_SHARED_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes: payloads from LEAST on go through the boxes if they fit. Smaller ones are as fast through
 * the socket. */
enum { SHARED_MEMORY_LEAST = 1 << 16, SHARED_MEMORY_BOX = 1 << 30 };

struct shared_memory {
    int fd;               /* -1: none; then everything passes through the socket */
    unsigned char *boxes; /* [2, SHARED_MEMORY_BOX]; pages exist once written to */
};

/* In the supervisor. Where address space is limited there are no boxes, which is no error. */
void shared_memory_create(struct shared_memory *s);

/* In the child, from the file descriptor that it inherited; -1: no boxes. */
void shared_memory_open(struct shared_memory *s, int fd);
void shared_memory_release(struct shared_memory *s); /* idempotent */
/* Whether a payload of so many bytes goes through a box. */
bool shared_memory_fits(const struct shared_memory *s, size_t payload);

unsigned char *shared_memory_outbox(const struct shared_memory *s);
unsigned char *shared_memory_inbox(const struct shared_memory *s);

#endif
