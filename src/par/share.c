#include "par/share.h"

#include <sys/mman.h>
#include <unistd.h>

#include "par/message.h"

enum { BOXES = 2 };

void share_open(struct share *s, int fd) {
    const size_t size = (size_t)BOXES * SHARE_BOX;
    *s = (struct share){.fd = fd};
    if (fd < 0) return;
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (at == MAP_FAILED)
        share_release(s);
    else
        s->boxes = at;
}

void share_create(struct share *s) {
    const int fd = memfd_create("taskvec", 0); /* inherited by the child */
    const bool sized = fd >= 0 && ftruncate(fd, (off_t)BOXES * SHARE_BOX) == 0;
    if (fd >= 0 && !sized) close(fd);
    share_open(s, sized ? fd : -1);
}

void share_release(struct share *s) {
    if (s->boxes) (void)munmap(s->boxes, (size_t)BOXES * SHARE_BOX);
    if (s->fd >= 0) close(s->fd);
    *s = (struct share){.fd = -1};
}

bool share_fits(const struct share *s, size_t payload) {
    return s->boxes && payload >= SHARE_LEAST && payload <= SHARE_BOX - sizeof(struct message_head);
}

unsigned char *share_outbox(const struct share *s) { return s->boxes; }
unsigned char *share_inbox(const struct share *s) { return s->boxes + SHARE_BOX; }
