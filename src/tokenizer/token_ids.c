#include "tokenizer/token_ids.h"

#include <stdlib.h>

void token_ids_add(struct token_ids *t, int32_t id) {
    if (t->n == t->capacity) {
        const size_t capacity = t->capacity ? 2 * t->capacity : 64;
        int32_t *ids = realloc(t->ids, capacity * sizeof *ids);
        if (!ids) {
            t->failed = true;
            return;
        }
        t->ids = ids;
        t->capacity = capacity;
    }
    t->ids[t->n++] = id;
}

void token_ids_release(struct token_ids *t) {
    free(t->ids);
    *t = (struct token_ids){0};
}

enum err_code token_ids_check(const struct token_ids *t, struct err *err) {
    return t->failed ? ERR(err, ERR_MEMORY, "no memory for more than %zu tokens", t->n) : ERR_OK;
}
