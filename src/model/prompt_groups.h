/*
 * prompt_groups.h - which prompts of one length run through the model at once: up to
 * PROMPT_GROUPS_TOGETHER, as long as that changes no bit.
 *
 * BLAS kernels treat rows in patterns of up to twelve, and a row's bits may depend on its place in
 * the pattern. Where they do, each prompt's rows are padded to whole patterns, so that it begins at
 * the same place as a prompt that runs alone.
 */
#ifndef MODEL_PROMPT_GROUPS_H
#define MODEL_PROMPT_GROUPS_H

#include <stdbool.h>

#include "model/dims.h"

enum { PROMPT_GROUPS_TOGETHER = 4 };

struct prompt_groups {     /* of prompts of one length */
    unsigned char prompts; /* that run at once: PROMPT_GROUPS_TOGETHER or 1 */
    bool padded;
};

/* Tries whether the BLAS kernel in use gives prompts of this length equal bits together and alone.
 * So the grouping decides only the time that contexts take. */
struct prompt_groups prompt_groups_determine(const struct model_dims *d, size_t n_tokens);

/* Rows of each prompt of n_tokens tokens, padding included, and what they are at most. */
size_t prompt_groups_rows(struct prompt_groups g, size_t n_tokens);
size_t prompt_groups_rows_most(size_t n_tokens);

#endif
