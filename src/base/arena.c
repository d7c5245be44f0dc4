#include "base/arena.h"

#include <assert.h>
#include <stdbool.h>
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

static size_t round_up(size_t n, size_t unit) { return (n + unit - 1) / unit * unit; }

static bool is_large(size_t bytes) { return bytes >= 2 * (size_t)HUGE_PAGE; }

/* Memory of the system is zero, and its pages are taken when they are first used, so that contexts
 * that a job creates and never fills cost nothing. A long stream over small pages loses a third of
 * the memory's bandwidth to address translation; a system that refuses huge pages costs speed
 * alone. */
static unsigned char *map_large(size_t bytes) {
    const size_t whole = round_up(bytes, HUGE_PAGE) + HUGE_PAGE;
    void *mapped = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return NULL;
    const size_t before = -(uintptr_t)mapped % HUGE_PAGE, after = HUGE_PAGE - before;
    unsigned char *block = (unsigned char *)mapped + before;
    if (before > 0) (void)munmap(mapped, before);
    if (after > 0) (void)munmap(block + (whole - HUGE_PAGE), after);
    (void)madvise(block, whole - HUGE_PAGE, MADV_HUGEPAGE);
    return block;
}

static unsigned char *allocate(size_t bytes) {
    if (is_large(bytes)) return map_large(bytes);
    unsigned char *block = aligned_alloc(ARENA_ALIGN, bytes);
    if (block) memset(block, 0, bytes);
    return block;
}

static void deallocate(unsigned char *block, size_t bytes) {
    if (is_large(bytes))
        (void)munmap(block, round_up(bytes, HUGE_PAGE));
    else
        free(block);
}

float *arena_floats(struct arena *a, size_t n) {
    assert(n < SIZE_MAX / 16);
    const size_t bytes = n * sizeof(float);
    unsigned char *here = a->block ? a->block + a->used : NULL;
    a->used += round_up(bytes, ARENA_ALIGN) + GUARD;
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
    forbid(a->block, a->size);
    return ERR_OK;
}

void arena_release(struct arena *a) {
    if (a->block) {
        allow(a->block, a->size);
        deallocate(a->block, a->size);
    }
    *a = (struct arena){0};
}
