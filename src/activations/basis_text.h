/*
 * basis_text.h - parts of the basis of text prompts that take passes of their own:
 * basis_collector.c uses it.
 *
 * The step of a prompt (BASIS_STEP) is the state at the last token of the true answer to its query
 * minus that at its last token. BASIS_RECENT averages over the tokens after which an answer begins:
 * the last one of the prompt, and the one before each shown answer (prompt_text.next).
 */
#ifndef ACTIVATIONS_BASIS_TEXT_H
#define ACTIVATIONS_BASIS_TEXT_H

#include "activations/basis_set.h"
#include "sources/prompt_batch.h"

struct basis_text_steps {
    struct prompt_rows rows; /* [chunk (answer + 1)] */
    struct query query;
    struct unembed norm; /* of one row at a time: [2] */
    struct arena memory;
};

/* For chunks of prompts with up to `tokens` tokens before the query and `answer` of its answer. */
enum err_code basis_text_steps_create(struct basis_text_steps *t, const struct model_dims *d,
                                      size_t tokens, size_t answer, size_t chunk, struct err *err);
void basis_text_steps_destroy(struct basis_text_steps *t); /* idempotent */
size_t basis_text_steps_bytes(const struct model_dims *d, size_t tokens, size_t answer,
                              size_t chunk);

/* Rows first .. of BASIS_STEP, not yet scaled to norm 1: of the prompts of `part`, whose contexts
 * are in slots 0 .. of b. */
void basis_text_take_steps(struct basis_set *s, size_t first, struct basis_text_steps *t,
                           const struct prompt_batch *b, const struct params *p,
                           const struct prompt_view *part);

/* Rows first .. of BASIS_RECENT: the mean over the last `recent` of these tokens, or over all if
 * there are fewer. Overwrites the rows of b and runs q. */
void basis_text_take_recent(struct basis_set *s, size_t first, size_t recent,
                            struct prompt_batch *b, struct query *q, const struct params *p,
                            const struct prompt_view *part);

#endif
