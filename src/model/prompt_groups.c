#include "model/prompt_groups.h"

#include "model/model_products.h"
#include "ops/blas.h"

enum { PATTERN = 12, FEW = 2 }; /* FEW: size number 2, of four prompts */
enum { UNKNOWN, NO, YES };

size_t prompt_groups_rows_most(size_t n_tokens) {
    return (n_tokens + PATTERN - 1) / PATTERN * PATTERN;
}

size_t prompt_groups_most(size_t rows) {
    size_t size = FEW;
    while (size + 1 < PROMPT_GROUPS_SIZES && (rows << (size + 1)) <= PROMPT_GROUPS_ROWS) size++;
    return (size_t)1 << size;
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

size_t prompt_groups_pass(size_t n_tokens, size_t prompts) {
    const size_t rows = prompt_groups_rows_most(n_tokens);
    const size_t few = smaller(prompts, (size_t)1 << FEW) * rows;
    const size_t all = smaller(prompts * rows, PROMPT_GROUPS_ROWS);
    return few > all ? few : all;
}

/* The kernel treats the columns of a product alike: a few whole blocks and the last ones stand for
 * a wide matrix. */
static size_t sampled(size_t N) {
    enum { COLUMNS = 512, BLOCK = 64 };
    return N <= COLUMNS ? N : COLUMNS + N % BLOCK;
}

static unsigned char products_agree(const struct params *p, size_t n, size_t rows) {
    const struct model_dims *d = &p->dims;
    const struct onednn *by = p->products ? p->products->library : NULL;
    const size_t E = d->E, F = model_mlp_width(d), Z = model_heads_width(d);
    if (model_products_rows_alone(p)) return YES;
    const bool agree = blas_rows_agree(by, n, rows, E, sampled(model_qkv_width(d))) &&
                       blas_rows_agree(by, n, rows, Z, E) &&
                       blas_rows_agree(by, n, rows, E, sampled(F)) &&
                       blas_rows_agree(by, n, rows, F, E);
    return agree ? YES : NO;
}

size_t prompt_groups_rows(struct prompt_groups *g, const struct params *p, size_t n_tokens) {
    if (g->padding == UNKNOWN) {
        g->agrees[FEW] = products_agree(p, (size_t)1 << FEW, n_tokens);
        g->padding = g->agrees[FEW] == YES ? NO : YES;
        if (g->padding == YES)
            g->agrees[FEW] = products_agree(p, (size_t)1 << FEW, prompt_groups_rows_most(n_tokens));
    }
    return g->padding == YES ? prompt_groups_rows_most(n_tokens) : n_tokens;
}

size_t prompt_groups_take(struct prompt_groups *g, const struct params *p, size_t n_tokens,
                          size_t n) {
    const size_t rows = prompt_groups_rows(g, p, n_tokens);
    const size_t most = smaller(n, prompt_groups_most(rows));
    for (size_t size = PROMPT_GROUPS_SIZES; size-- > 1;) {
        const size_t prompts = (size_t)1 << size;
        if (prompts > most) continue;
        if (g->agrees[size] == UNKNOWN) g->agrees[size] = products_agree(p, prompts, rows);
        if (g->agrees[size] == YES) return prompts;
    }
    return 1;
}
