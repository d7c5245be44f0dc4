/*
 * basis.h - what the model did at the query of basis prompts: the stuff that vectors are made of.
 *
 * The query of a basis prompt is its point T0; the T0 - 1 pairs before it are its context.  A basis
 * has parts, each some blocks of rows [stride, E]: row r of block i of a part is at
 * (i * stride + r) * E.  Only the parts that a method asks for are there, the others are NULL.
 */
#ifndef ACTIVATIONS_BASIS_H
#define ACTIVATIONS_BASIS_H

#include "model/dims.h"

enum basis_part {
    BASIS_HEADS,     /* [L] z, the heads' outputs side by side: input of W_o */
    BASIS_ATTENTION, /* [L] a = z W_o + b, the attention block's output */
    BASIS_STATE,     /* [L] the residual stream after each block */
    BASIS_ALONE,     /* [L] the same of a prompt that is the query alone, with no example */
    BASIS_ANCHORS,   /* [E] what the examples change at anchors: basis_set.h */
    BASIS_STEP,      /* [L + 1] the state at the query's y less that at the query: embedding, blocks
                      * 0 .. L - 2, and block L - 1 after ln_f; of norm 1 over all of them */
    BASIS_RECENT,    /* [L] a, the mean over the last x's up to the query: basis_set.h */
    BASIS_PARTS
};

struct basis {
    size_t R, stride;
    const float *part[BASIS_PARTS];
};

/* The bit of a part in a set of them. */
static inline unsigned basis_bit(enum basis_part part) { return 1U << part; }

static inline size_t basis_blocks(enum basis_part part, const struct model_dims *d) {
    if (part == BASIS_STEP) return d->L + 1;
    return part == BASIS_ANCHORS ? d->E : d->L;
}

extern const char *const BASIS_NAMES[BASIS_PARTS]; /* of tensors: "basis_heads" */

#endif
