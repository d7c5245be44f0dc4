#include "par/shared_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include "par/message.h"

enum { BOXES = 2 };

void shared_memory_open(struct shared_memory *s, int fd) {
    const size_t size = (size_t)BOXES * SHARED_MEMORY_BOX;
    *s = (struct shared_memory){.fd = fd};
    if (fd < 0) return;
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (at == MAP_FAILED)
        shared_memory_release(s);
    else
        s->boxes = at;
}

void shared_memory_create(struct shared_memory *s) {
    const int fd = memfd_create("taskvec", 0); /* inherited by the child */
    const bool sized = fd >= 0 && ftruncate(fd, (off_t)BOXES * SHARED_MEMORY_BOX) == 0;
    if (fd >= 0 && !sized) close(fd);
    shared_memory_open(s, sized ? fd : -1);
}

void shared_memory_release(struct shared_memory *s) {
    if (s->boxes) (void)munmap(s->boxes, (size_t)BOXES * SHARED_MEMORY_BOX);
    if (s->fd >= 0) close(s->fd);
    *s = (struct shared_memory){.fd = -1};
}

bool shared_memory_fits(const struct shared_memory *s, size_t payload) {
    return s->boxes && payload >= SHARED_MEMORY_LEAST &&
           payload <= SHARED_MEMORY_BOX - sizeof(struct message_head);
}

unsigned char *shared_memory_outbox(const struct shared_memory *s) { return s->boxes; }
unsigned char *shared_memory_inbox(const struct shared_memory *s) {
    return s->boxes + SHARED_MEMORY_BOX;
}
