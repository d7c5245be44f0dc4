#include "par/child_pipe.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 1 << 18 }; /* bytes a read */

void child_pipe_init(struct child_pipe *p, int fd) { *p = (struct child_pipe){.fd = fd}; }

void child_pipe_release(struct child_pipe *p) {
    if (p->fd >= 0) close(p->fd);
    text_release(&p->in);
    text_release(&p->out);
    *p = (struct child_pipe){.fd = -1};
}

static bool would_block(void) { return errno == EAGAIN || errno == EWOULDBLOCK; }

/* Writes what the socket takes now. A closed socket is no error here: reading reports it. */
static enum err_code write_some(struct child_pipe *p, const char *data, size_t size,
                                size_t *written, struct err *err) {
    *written = 0;
    while (*written < size && !p->ended) {
        const ssize_t n =
            send(p->fd, data + *written, size - *written, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n >= 0)
            *written += (size_t)n;
        else if (errno == EPIPE || errno == ECONNRESET)
            p->ended = true;
        else if (would_block())
            break;
        else if (errno != EINTR)
            return ERR(err, ERR_SYSTEM, "cannot write to the socket of a compute child: %s",
                       strerror(errno));
    }
    return ERR_OK;
}

bool child_pipe_has_unsent(const struct child_pipe *p) {
    return p->out.size > p->out_at && !p->ended;
}

enum err_code child_pipe_flush(struct child_pipe *p, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t n = 0;
    if (!child_pipe_has_unsent(p)) return ERR_OK;
    TRY(write_some(p, p->out.data + p->out_at, p->out.size - p->out_at, &n, err));
    p->out_at += n;
    if (p->out_at == p->out.size) text_clear(&p->out), p->out_at = 0;
cleanup:
    return rc;
}

enum err_code child_pipe_post(struct child_pipe *p, const struct message_head *head,
                              const void *payload, struct err *err) {
    enum err_code rc = ERR_OK;
    text_bytes(&p->out, head, sizeof *head);
    if (head->size > 0) text_bytes(&p->out, payload, (size_t)head->size);
    TRY(text_check(&p->out, err));
    TRY(child_pipe_flush(p, err));
cleanup:
    return rc;
}

enum err_code child_pipe_send(struct child_pipe *p, const struct message_head *head,
                              const void *payload, struct err *err) {
    enum err_code rc = ERR_OK;
    struct pollfd wait = {.fd = p->fd, .events = POLLOUT};
    TRY(child_pipe_post(p, head, payload, err));
    while (child_pipe_has_unsent(p)) {
        (void)poll(&wait, 1, -1);
        TRY(child_pipe_flush(p, err));
    }
cleanup:
    return rc;
}

/* Drops what was handed out, so that the buffer grows to the largest message only. */
static void make_room(struct child_pipe *p) {
    if (p->in_at == 0) return;
    p->in.size -= p->in_at;
    memmove(p->in.data, p->in.data + p->in_at, p->in.size);
    p->in_at = 0;
}

enum err_code child_pipe_fill(struct child_pipe *p, bool wait, struct err *err) {
    char piece[PIECE];
    make_room(p);
    while (!p->ended) {
        const ssize_t n = recv(p->fd, piece, sizeof piece, wait ? 0 : MSG_DONTWAIT);
        if (n > 0) {
            text_bytes(&p->in, piece, (size_t)n);
            wait = false;
        } else if (n == 0 || errno == ECONNRESET) {
            p->ended = true;
        } else if (would_block()) {
            break;
        } else if (errno != EINTR) {
            return ERR(err, ERR_SYSTEM, "cannot read the socket of a compute child: %s",
                       strerror(errno));
        }
    }
    return text_check(&p->in, err);
}

bool child_pipe_next(struct child_pipe *p, struct message_head *head, const void **payload) {
    const size_t there = p->in.size - p->in_at;
    if (there < sizeof *head) return false;
    memcpy(head, p->in.data + p->in_at, sizeof *head);
    if (there - sizeof *head < head->size) return false;
    *payload = p->in.data + p->in_at + sizeof *head;
    p->in_at += sizeof *head + (size_t)head->size;
    return true;
}
