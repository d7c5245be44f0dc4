/*
 * context_fill.h - the context of a single prompt.
 */
#ifndef TWINS_CONTEXT_FILL_H
#define TWINS_CONTEXT_FILL_H

#include "model/context_pass.h"

/* context_add() and context_finish(): no other prompt may be waiting in s. */
static inline void context_fill(struct context *c, size_t slot, struct context_scratch *s,
                                const struct params *p, const float *tokens, size_t n_tokens,
                                const struct edits *edits) {
    context_add(c, slot, s, p, tokens, n_tokens, edits);
    context_finish(c, s, p, edits);
}

#endif
