#include "model/row_packing.h"

#include <stdlib.h>

#include "model/family.h"
#include "model/model_products.h"
#include "ops/blas.h"

enum { FITS = 1, DIFFERS };

static size_t rounded_up(size_t n, size_t step) { return (n + step - 1) / step * step; }

size_t row_packing_pass(size_t rows) { return rounded_up(rows, ROW_PACKING_STEP); }

size_t row_packing_most(size_t tokens) {
    return row_packing_pass(tokens > ROW_PACKING_ROWS ? tokens : ROW_PACKING_ROWS);
}

enum err_code row_packing_create(struct row_packing *out, const struct model_dims *dims,
                                 size_t tokens, struct err *err) {
    *out = (struct row_packing){.dims = *dims, .most = row_packing_most(tokens)};
    out->known = calloc(out->most / ROW_PACKING_STEP + 1, 1);
    return out->known ? ERR_OK : ERR(err, ERR_MEMORY, "no memory for the tables of a context pass");
}

void row_packing_destroy(struct row_packing *g) { free(g->known); }

/* The kernel treats the columns of a product alike: a few whole blocks and the last ones stand for
 * a wide matrix. */
static size_t sampled(size_t N) {
    enum { COLUMNS = 512, BLOCK = 64 };
    return N <= COLUMNS ? N : COLUMNS + N % BLOCK;
}

/* The products of a layer, [rows, K] x [K, N]. */
enum { PRODUCTS = 5 };
struct product {
    size_t K, N;
};

static void products_of(struct product out[PRODUCTS], const struct model_dims *d) {
    const size_t E = d->E, F = model_mlp_width(d), Z = model_heads_width(d);
    const bool separate = family_of(d)->attention == ATTENTION_SEPARATE;
    out[0] = (struct product){E, sampled(Z)};
    out[1] = (struct product){E, sampled(separate ? model_keys_width(d) : model_qkv_width(d))};
    out[2] = (struct product){Z, sampled(E)};
    out[3] = (struct product){E, sampled(F)};
    out[4] = (struct product){F, sampled(E)};
}

static bool repeats(const struct row_packing *g, size_t rows, size_t period) {
    const enum linear_layout layout = family_of(&g->dims)->layout;
    const enum blas_op op = layout == LINEAR_IN_OUT ? BLAS_N : BLAS_T;
    const struct onednn *by = g->model->products ? g->model->products->library : NULL;
    struct product products[PRODUCTS];
    if (model_products_rows_alone(g->model)) return true;
    products_of(products, &g->dims);
    for (size_t i = 0; i < PRODUCTS; i++)
        if (!blas_rows_repeat(by, rows, period, products[i].K, products[i].N, op)) return false;
    return true;
}

size_t row_packing_bytes(const struct model_dims *d, size_t rows) {
    struct product products[PRODUCTS];
    size_t most = 0;
    products_of(products, d);
    for (size_t i = 0; i < PRODUCTS; i++) {
        const size_t bytes = blas_rows_repeat_bytes(rows, products[i].K, products[i].N);
        if (bytes > most) most = bytes;
    }
    return most;
}

static size_t period_of(struct row_packing *g) {
    if (g->period == 0) g->period = repeats(g, 4 * ROW_PACKING_STEP, 1) ? 1 : ROW_PACKING_STEP;
    return g->period;
}

size_t row_packing_rows(struct row_packing *g, size_t n_tokens) {
    return rounded_up(n_tokens, period_of(g));
}

bool row_packing_fits(struct row_packing *g, size_t rows) {
    const size_t pass = row_packing_pass(rows);
    unsigned char *known = &g->known[pass / ROW_PACKING_STEP];
    if (*known == 0) *known = repeats(g, pass, period_of(g)) ? FITS : DIFFERS;
    return *known == FITS;
}
