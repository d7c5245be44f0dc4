/*
 * token_ids.h - a growing list of token ids.
 */
#ifndef TOKENIZER_TOKEN_IDS_H
#define TOKENIZER_TOKEN_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct token_ids {
    int32_t *ids; /* owned */
    size_t n, capacity;
    bool failed; /* memory was short: what was added since is missing */
};

void token_ids_add(struct token_ids *t, int32_t id);
void token_ids_release(struct token_ids *t);                               /* idempotent */
enum err_code token_ids_check(const struct token_ids *t, struct err *err); /* ERR_MEMORY */

#endif
