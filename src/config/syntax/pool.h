/*
 * pool.h - many small allocations with one lifetime, released together.
 *
 * Each piece is a heap block of its own, so that AddressSanitizer finds accesses beyond its end.
 */
#ifndef CONFIG_SYNTAX_POOL_H
#define CONFIG_SYNTAX_POOL_H

#include <stddef.h>

#include "base/err.h"

struct pool {
    struct pool_block *blocks;
};

/* count * size bytes of zeros, NULL when memory is short; aligned for any type. */
void *pool_take(struct pool *p, size_t count, size_t size);
char *pool_copy(struct pool *p, const char *s, size_t n); /* n bytes and a NUL */
void pool_release(struct pool *p);

/* pointer = zeroed array of `count` elements; needs `rc`, `err` and `cleanup:` in scope. */
#define TAKE(pointer, pool, count)                                                                 \
    do {                                                                                           \
        (pointer) = pool_take((pool), (count), sizeof *(pointer));                                 \
        CHECK((pointer), ERR_MEMORY, "no memory for %zu bytes of configuration",                   \
              (size_t)(count) * sizeof *(pointer));                                                \
    } while (0)

#endif
