#include "base/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef __SANITIZE_ADDRESS__
#define ARENA_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#endif

#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
enum { GUARD = 2 * ARENA_ALIGN }; /* bytes after each array */
static void forbid(void *p, size_t n) { __asan_poison_memory_region(p, n); }
static void allow(void *p, size_t n) { __asan_unpoison_memory_region(p, n); }
#else
enum { GUARD = 0 };
static void forbid(void *p, size_t n) { (void)p, (void)n; }
static void allow(void *p, size_t n) { (void)p, (void)n; }
#endif

enum { HUGE_PAGE = 2 << 20 }; /* bytes */

/* A long stream over small pages loses a third of the memory's bandwidth to address translation. A
 * system that refuses huge pages costs speed alone. */
static void *allocate(size_t bytes) {
    void *block = NULL;
    if (bytes < 2 * (size_t)HUGE_PAGE) return aligned_alloc(ARENA_ALIGN, bytes);
    if (posix_memalign(&block, HUGE_PAGE, bytes) != 0) return NULL;
    (void)madvise(block, bytes, MADV_HUGEPAGE);
    return block;
}

static size_t padded(size_t bytes) { return (bytes + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN; }

float *arena_floats(struct arena *a, size_t n) {
    assert(n < SIZE_MAX / 16);
    const size_t bytes = n * sizeof(float);
    unsigned char *here = a->block ? a->block + a->used : NULL;
    a->used += padded(bytes) + GUARD;
    if (!here) return NULL;
    assert(a->used <= a->size);
    allow(here, bytes);
    return (float *)(void *)here;
}

enum err_code arena_commit(struct arena *a, struct err *err) {
    assert(!a->block);
    a->size = a->used > 0 ? a->used : ARENA_ALIGN;
    a->used = 0;
    a->block = allocate(a->size);
    if (!a->block) return ERR(err, ERR_MEMORY, "cannot allocate %zu bytes", a->size);
    memset(a->block, 0, a->size);
    forbid(a->block, a->size);
    return ERR_OK;
}

void arena_release(struct arena *a) {
    if (a->block) allow(a->block, a->size);
    free(a->block);
    *a = (struct arena){0};
}
