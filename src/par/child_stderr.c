#include "par/child_stderr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MOST_AT_ONCE = 1 << 16 }; /* bytes a call: a child may never stop writing */

enum err_code child_stderr_open(struct child_stderr *w, int *end, struct err *err) {
    int ends[2];
    *w = (struct child_stderr){.fd = -1};
    if (pipe2(ends, O_CLOEXEC) != 0)
        return ERR(err, ERR_SYSTEM, "cannot create a pipe for a compute child: %s",
                   strerror(errno));
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    w->fd = ends[0];
    *end = ends[1];
    return ERR_OK;
}

/* Where the supervisor's standard error is full or closed, the output of the child is lost, and
 * nothing else. */
static void pass_on(const char *data, size_t size) {
    while (size > 0) {
        const ssize_t n = write(STDERR_FILENO, data, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        data += n;
        size -= (size_t)n;
    }
}

static void keep_tail(struct child_stderr *w, const char *data, size_t size) {
    if (size >= STDERR_TAIL) {
        data += size - STDERR_TAIL;
        size = STDERR_TAIL;
    }
    const size_t stay = w->n + size > STDERR_TAIL ? STDERR_TAIL - size : w->n;
    memmove(w->tail, w->tail + (w->n - stay), stay);
    memcpy(w->tail + stay, data, size);
    w->n = stay + size;
}

void child_stderr_read(struct child_stderr *w) {
    char buffer[4096];
    ssize_t n = 1;
    for (size_t all = 0; w->fd >= 0 && n > 0 && all < MOST_AT_ONCE; all += (size_t)n) {
        n = read(w->fd, buffer, sizeof buffer);
        if (n <= 0) break;
        pass_on(buffer, (size_t)n);
        keep_tail(w, buffer, (size_t)n);
    }
}

void child_stderr_release(struct child_stderr *w) {
    if (w->fd >= 0) close(w->fd);
    *w = (struct child_stderr){.fd = -1};
}

void child_stderr_append(char *reason, size_t size, const struct child_stderr *w) {
    char line[STDERR_TAIL + 1];
    size_t first = 0, end = w->n;
    while (end > 0 && (unsigned char)w->tail[end - 1] <= ' ') end--;
    while (first < end && (unsigned char)w->tail[first] <= ' ') first++;
    if (first == end) return;
    for (size_t i = first; i < end; i++) {
        const char c = w->tail[i];
        line[i - first] = c >= ' ' && c <= '~' ? c : ' '; /* newlines, other than ASCII */
    }
    line[end - first] = '\0';
    const size_t used = strlen(reason);
    (void)snprintf(reason + used, size - used, "; its stderr ends: %s", line);
}
