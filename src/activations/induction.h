/*
 * induction.h - the induction score of every head: how far it attends to what followed the
 * previous occurrence of its token.
 *
 * Olsson et al., "In-context learning and induction heads", 2022; as used to choose heads by Yin
 * and Steinhardt, arXiv:2502.14010. A sequence is the token that begins prompts, if there is one,
 * and `length` different random tokens r[1] .. r[m], twice. The score of a head on a sequence is
 * the mean over the second half of the attention that r[j] pays to the token after its first
 * occurrence: r[j + 1], and for the last one the token that begins the second half. 1 is a head
 * that does nothing else. It needs no task, only token ids.
 */
#ifndef ACTIVATIONS_INDUCTION_H
#define ACTIVATIONS_INDUCTION_H

#include "activations/causal_map.h"

struct induction_options {
    size_t sequences, length; /* length: different tokens, shown twice; 2 or more */
    size_t vocabulary;        /* tokens are drawn from ids below it, without bos */
    int32_t bos;              /* -1: none */
    size_t chunk;             /* sequences whose contexts are in memory at a time */
    enum context_precision contexts;
    const struct rng *stream;
    struct causal_progress *progress; /* 1 for each sequence; or NULL */
};

/* Tokens of a sequence. */
size_t induction_tokens(const struct induction_options *o);

/* score [L, H, sequences]. For models of token ids; length is below vocabulary. ERR_MEMORY, or what
 * o->progress returns. */
enum err_code induction_scores(float *score, const struct params *p,
                               const struct induction_options *o, struct err *err);
size_t induction_bytes(const struct model_dims *dims, const struct induction_options *o);

#endif
