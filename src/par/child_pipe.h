/*
 * child_pipe.h - messages over the socket between a supervisor and its compute child.
 *
 * The supervisor's end never blocks: what the child has not read yet is buffered here.  The child's
 * end may block, since the supervisor always reads.
 */
#ifndef PAR_CHILD_PIPE_H
#define PAR_CHILD_PIPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/text.h"
#include "par/message.h"

struct child_pipe {
    int fd;               /* -1: closed */
    struct text in, out;  /* bytes read and not handed out; bytes to be written */
    size_t in_at, out_at; /* of them, already handed out / written */
    bool ended;           /* the other end is closed */
};

void child_pipe_init(struct child_pipe *p, int fd);
void child_pipe_release(struct child_pipe *p); /* closes; idempotent */

/* Buffers the message and writes as much as the socket takes without waiting. */
enum err_code child_pipe_post(struct child_pipe *p, const struct message_head *head,
                              const void *payload, struct err *err);
enum err_code child_pipe_flush(struct child_pipe *p, struct err *err);
bool child_pipe_has_unsent(const struct child_pipe *p);

/* Writes everything, waiting as long as it takes; for the child. */
enum err_code child_pipe_send(struct child_pipe *p, const struct message_head *head,
                              const void *payload, struct err *err);

/* Reads what is there; sets p->ended at the end. wait: blocks for at least one byte. */
enum err_code child_pipe_fill(struct child_pipe *p, bool wait, struct err *err);

/* The next whole message; *payload lives until the next child_pipe_fill(). */
bool child_pipe_next(struct child_pipe *p, struct message_head *head, const void **payload);

#endif
