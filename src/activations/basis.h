/*
 * basis.h - activations at the query of basis prompts, from which methods build task vectors.
 *
 * The query of a basis prompt is the x of its point T0; the T0 - 1 pairs before it are its context.
 * A basis has parts, each of some blocks of rows [stride, width], width = basis_width(): row r of
 * block i of a part starts at (i * stride + r) * width. Parts that the method does not need are
 * NULL.
 */
#ifndef ACTIVATIONS_BASIS_H
#define ACTIVATIONS_BASIS_H

#include "model/dims.h"

enum basis_part {
    BASIS_HEADS,     /* [L] z, the outputs of all heads side by side: input of W_o */
    BASIS_ATTENTION, /* [L] a = z W_o + b, the output of the attention block */
    BASIS_STATE,     /* [L] the residual stream after each block */
    BASIS_ALONE,     /* [L] the same for a prompt that is the query alone, without examples */
    BASIS_ANCHORS,   /* [E] effect of the examples at anchor tokens: basis_collector.h */
    BASIS_STEP,      /* [L + 1] residual stream at the query's y minus that at its x: embedding,
                      * blocks 0 .. L - 2, and block L - 1 after ln_f; norm 1 over all of them */
    BASIS_RECENT,    /* [L] a, averaged over the last x's up to the query: basis_collector.h */
    BASIS_PARTS
};

struct basis {
    size_t R, stride;
    const float *part[BASIS_PARTS];
};

/* The bit of a part in a set of parts. */
static inline unsigned basis_bit(enum basis_part part) { return 1U << part; }

static inline size_t basis_blocks(enum basis_part part, const struct model_dims *d) {
    if (part == BASIS_STEP) return d->L + 1;
    return part == BASIS_ANCHORS ? d->E : d->L;
}

/* Numbers of a row: E, or H D. */
static inline size_t basis_width(enum basis_part part, const struct model_dims *d) {
    return part == BASIS_HEADS ? model_heads_width(d) : d->E;
}

extern const char *const BASIS_NAMES[BASIS_PARTS]; /* names of tensors: "basis_heads" */

#endif
