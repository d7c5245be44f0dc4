#include "model/prompt_groups.h"

#include "ops/blas.h"

enum { TOGETHER = PROMPT_GROUPS_TOGETHER, PATTERN = 12 };

size_t prompt_groups_rows_most(size_t n_tokens) {
    return (n_tokens + PATTERN - 1) / PATTERN * PATTERN;
}

size_t prompt_groups_rows(struct prompt_groups g, size_t n_tokens) {
    return g.padded ? prompt_groups_rows_most(n_tokens) : n_tokens;
}

static bool products_agree(const struct model_dims *d, size_t rows) {
    const size_t E = d->E, F = model_mlp_width(d), Z = model_heads_width(d);
    return blas_rows_agree(TOGETHER, rows, E, model_qkv_width(d)) &&
           blas_rows_agree(TOGETHER, rows, Z, E) && blas_rows_agree(TOGETHER, rows, E, F) &&
           blas_rows_agree(TOGETHER, rows, F, E);
}

struct prompt_groups prompt_groups_determine(const struct model_dims *d, size_t n_tokens) {
    if (products_agree(d, n_tokens)) return (struct prompt_groups){TOGETHER, false};
    const bool agree = products_agree(d, prompt_groups_rows_most(n_tokens));
    return (struct prompt_groups){agree ? TOGETHER : 1, true};
}
