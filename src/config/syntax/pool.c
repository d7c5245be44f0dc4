#include "config/syntax/pool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct pool_block {
    struct pool_block *next;
    max_align_t data[];
};

void *pool_take(struct pool *p, size_t count, size_t size) {
    if (size > 0 && count > (SIZE_MAX - sizeof(struct pool_block)) / size) return NULL;
    struct pool_block *block = calloc(1, sizeof *block + count * size);
    if (!block) return NULL;
    block->next = p->blocks;
    p->blocks = block;
    return block->data;
}

char *pool_copy(struct pool *p, const char *s, size_t n) {
    char *copy = pool_take(p, n + 1, 1);
    if (copy && n > 0) memcpy(copy, s, n);
    return copy;
}

void pool_release(struct pool *p) {
    while (p->blocks) {
        struct pool_block *next = p->blocks->next;
        free(p->blocks);
        p->blocks = next;
    }
}
