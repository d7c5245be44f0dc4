/*
 * prompt_groups.h - which prompts of one length run through the model at once, as long as that
 * changes no bit: powers of two, of up to PROMPT_GROUPS_ROWS rows, or of 4 prompts if these have
 * more.
 *
 * BLAS kernels treat rows in patterns of up to twelve, and a row's bits may depend on its place in
 * the pattern. Where they do, each prompt's rows are padded to whole patterns, so that it begins at
 * the same place as a prompt that runs alone.  A product packs the weights once for all its rows,
 * so that few rows are slow; more than these leave the cache.
 */
#ifndef MODEL_PROMPT_GROUPS_H
#define MODEL_PROMPT_GROUPS_H

#include <stdbool.h>

#include "model/params.h"

enum { PROMPT_GROUPS_ROWS = 720, PROMPT_GROUPS_SIZES = 6 };

struct prompt_groups {     /* of prompts of one length; zero: nothing is found out yet */
    unsigned char padding; /* whether rows are padded */
    unsigned char agrees[PROMPT_GROUPS_SIZES]; /* whether groups of 2^i prompts have equal bits */
};

/* Rows of each prompt of n_tokens tokens, padding included, and what they are at most. */
size_t prompt_groups_rows(struct prompt_groups *g, const struct params *p, size_t n_tokens);
size_t prompt_groups_rows_most(size_t n_tokens);

/* Prompts of so many rows that may run at once, and the rows that any prompts of up to n_tokens
 * tokens take together, if at most `prompts` of them run at once. */
size_t prompt_groups_most(size_t rows);
size_t prompt_groups_pass(size_t n_tokens, size_t prompts);

/* The largest group of at most n prompts to which the kernel in use gives the bits of each
 * prompt alone: found out by products of these sizes, once for each. So the grouping decides only
 * the time that contexts take. */
size_t prompt_groups_take(struct prompt_groups *g, const struct params *p, size_t n_tokens,
                          size_t n);

#endif
