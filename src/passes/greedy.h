/*
 * greedy.h - the most likely continuation of one prompt, token by token.
 *
 * The prompt but for its last token becomes a context; that token and each one that follows is a
 * query row over all before it (query_append()). Edits of scope `query` apply at the last token of
 * the prompt alone, those of scope `all` at every token. Logits exist for one row at a time.
 */
#ifndef PASSES_GREEDY_H
#define PASSES_GREEDY_H

#include "model/edit.h"
#include "model/params.h"

struct greedy;

struct likely_token {
    uint32_t id;
    double probability;
};

/* ids [n], n > 0, for up to `tokens` > 0 more; n + tokens - 1 <= positions, as the last one is not
 * run. Values and matrices of edits are one for all rows (stride 0). p and edits are borrowed.
 * ERR_MEMORY. */
enum err_code greedy_create(struct greedy **out, const struct params *p, const uint32_t *ids,
                            size_t n, size_t tokens, const struct edits *edits, struct err *err);
void greedy_destroy(struct greedy *g); /* NULL-safe */

/* top [K], 0 < K <= V: the most likely next tokens, the most likely first, of equal ones the lower
 * id. top[0] becomes the next token of the text. At most `tokens` times. ERR_NUMERIC: a logit is
 * not finite. */
enum err_code greedy_next(struct likely_token *top, size_t K, struct greedy *g, struct err *err);

#endif
