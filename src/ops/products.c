#include "ops/products.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ops/bfloat.h"

/* ---- parts */

/* Which part of the left and of the right factor each part of the depth multiplies. */
static const struct {
    const char *name, *left, *right; /* h: high, l: low */
} PARTS[ARITHMETICS] = {
    [ARITHMETIC_F32] = {"f32", "", ""},
    [ARITHMETIC_BF16X3] = {"bf16x3", "hhl", "hlh"},
    [ARITHMETIC_BF16X2] = {"bf16x2", "hl", "hh"},
    [ARITHMETIC_BF16] = {"bf16", "h", "h"},
};

const char *arithmetic_name(enum arithmetic a) { return PARTS[a].name; }

enum arithmetic arithmetic_named(const char *name) {
    size_t a = 0;
    while (a + 1 < ARITHMETICS && strcmp(PARTS[a].name, name) != 0) a++;
    return (enum arithmetic)a;
}

size_t arithmetic_parts(enum arithmetic a) { return strlen(PARTS[a].left); }

/* Rows of x [rows, n] in parts: part k of row r begins at r * row_step + k * part_step. */
struct split {
    const char *parts;
    size_t row_step, part_step;
};

static void split_rows(uint16_t *out, const struct split *s, const float *x, size_t ldx,
                       size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; s->parts[k]; k++) {
            uint16_t *to = out + r * s->row_step + k * s->part_step;
            if (s->parts[k] == 'h')
                bfloat_high(to, x + r * ldx, n);
            else
                bfloat_low(to, x + r * ldx, n);
        }
}

/* Parts beside each other in a row, or below each other, of `rows` rows each. */
static struct split beside(const char *parts, size_t n) {
    return (struct split){parts, strlen(parts) * n, n};
}

static struct split below(const char *parts, size_t rows, size_t n) {
    return (struct split){parts, n, rows * n};
}

/* ---- the library */

enum err_code products_open(struct products **out, enum arithmetic a, struct err *err) {
    enum err_code rc = ERR_OK;
    struct products *p = calloc(1, sizeof *p);
    CHECK(p, ERR_MEMORY, "no memory for a library of products");
    p->arithmetic = a;
    TRY(onednn_open(&p->library, err));
    CHECK(a == ARITHMETIC_F32 || onednn_has_bfloat(p->library), ERR_CONFIG,
          "this CPU has no instructions for bfloat16 (avx512_bf16 or AMX) that oneDNN uses (%s)",
          onednn_kernel(p->library));
    *out = p;
    p = NULL;
cleanup:
    products_close(p);
    return rc;
}

void products_close(struct products *p) {
    if (!p) return;
    onednn_close(p->library);
    free(p->left);
    free(p->right);
    free(p->rows);
    free(p);
}

static enum err_code grow(void **block, size_t bytes, struct err *err) {
    free(*block);
    *block = aligned_alloc(64, (bytes + 63) / 64 * 64);
    return *block ? ERR_OK : ERR(err, ERR_MEMORY, "no memory for %zu bytes of factors", bytes);
}

enum err_code products_reserve(struct products *p, size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    void *left = p->left, *right = p->right, *rows = p->rows;
    const size_t factor = 3 * (size_t)PRODUCTS_ROWS * n * sizeof *p->left;
    if (n <= p->widest) return ERR_OK;
    p->widest = 0;
    rc = grow(&left, factor, err);
    if (rc == ERR_OK) rc = grow(&right, factor, err);
    if (rc == ERR_OK) rc = grow(&rows, PRODUCTS_FEW * n * sizeof *p->rows, err);
    p->left = left, p->right = right, p->rows = rows;
    if (rc == ERR_OK) p->widest = n;
    return rc;
}

/* ---- rows times a packed matrix */

enum err_code packed_init(struct packed *m, struct products *p, enum arithmetic a, size_t K,
                          size_t N, size_t ldc, struct err *err) {
    enum err_code rc = ERR_OK;
    struct onednn_shape shape = {
        .M = PRODUCTS_ROWS, .N = N, .K = arithmetic_parts(a) * K, .ldc = ldc, .packed = true};
    *m = (struct packed){.products = p, .arithmetic = a, .K = K, .N = N, .ldc = ldc};
    TRY(onednn_product_create(&m->many, p->library, &shape, NULL, err));
    shape.M = PRODUCTS_FEW;
    TRY(onednn_product_create(&m->few, p->library, &shape, m->many, err));
    TRY(grow(&m->numbers, onednn_product_bytes(m->many), err));
    TRY(products_reserve(p, K > ldc ? K : ldc, err));
cleanup:
    if (rc != ERR_OK) packed_release(m);
    return rc;
}

void packed_release(struct packed *m) {
    onednn_product_destroy(m->many);
    onednn_product_destroy(m->few);
    free(m->numbers);
    *m = (struct packed){0};
}

enum err_code packed_fill(struct packed *m, const float *W, size_t ldw, bool turned,
                          uint16_t *scratch, struct err *err) {
    const char *parts = PARTS[m->arithmetic].right;
    const size_t depth = strlen(parts) * m->K;
    const struct split s = turned ? beside(parts, m->K) : below(parts, m->K, m->N);
    split_rows(scratch, &s, W, ldw, turned ? m->N : m->K, turned ? m->K : m->N);
    return onednn_product_pack(m->numbers, m->many, scratch, turned ? 1 : m->N, turned ? depth : 1,
                               err);
}

/* A last block of n rows, filled up with rows of zeros, whose results are dropped. */
static void add_last_rows(float *C, size_t n, const struct packed *m) {
    const struct products *p = m->products;
    const size_t depth = arithmetic_parts(m->arithmetic) * m->K;
    memset(p->left + n * depth, 0, (PRODUCTS_FEW - n) * depth * sizeof *p->left);
    for (size_t r = 0; r < n; r++) memcpy(p->rows + r * m->ldc, C + r * m->ldc, m->N * sizeof *C);
    onednn_product_add(p->rows, m->few, p->left, m->numbers);
    for (size_t r = 0; r < n; r++) memcpy(C + r * m->ldc, p->rows + r * m->ldc, m->N * sizeof *C);
}

/* How many of `rows` rows are the next block. */
static size_t block_of(size_t rows) {
    if (rows >= PRODUCTS_ROWS) return PRODUCTS_ROWS;
    return rows < PRODUCTS_FEW ? rows : PRODUCTS_FEW;
}

void packed_add(float *C, const float *A, size_t lda, size_t M, const struct packed *m) {
    const struct products *p = m->products;
    const struct split s = beside(PARTS[m->arithmetic].left, m->K);
    assert(m->K <= p->widest && m->ldc <= p->widest);
    for (size_t row = 0, n; row < M; row += n) {
        n = block_of(M - row);
        split_rows(p->left, &s, A + row * lda, lda, n, m->K);
        if (n < PRODUCTS_FEW)
            add_last_rows(C + row * m->ldc, n, m);
        else
            onednn_product_add(C + row * m->ldc, n == PRODUCTS_ROWS ? m->many : m->few, p->left,
                               m->numbers);
    }
}

/* ---- sums over rows */

enum err_code outer_init(struct outer *g, struct products *p, size_t I, size_t O, size_t ldc,
                         struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t parts = arithmetic_parts(p->arithmetic);
    struct onednn_shape shape = {
        .M = I, .N = O, .K = parts * PRODUCTS_ROWS, .ldc = ldc, .turned = true};
    *g = (struct outer){.products = p, .I = I, .O = O};
    TRY(onednn_product_create(&g->many, p->library, &shape, NULL, err));
    shape.K = parts * PRODUCTS_FEW;
    TRY(onednn_product_create(&g->few, p->library, &shape, NULL, err));
    TRY(products_reserve(p, I > O ? I : O, err));
cleanup:
    if (rc != ERR_OK) outer_release(g);
    return rc;
}

void outer_release(struct outer *g) {
    onednn_product_destroy(g->many);
    onednn_product_destroy(g->few);
    *g = (struct outer){0};
}

/* n of `rows` rows; the rest is zeros. */
static void split_below(uint16_t *out, const char *parts, size_t rows, const float *x, size_t ldx,
                        size_t n, size_t columns) {
    const struct split s = below(parts, rows, columns);
    split_rows(out, &s, x, ldx, n, columns);
    for (size_t k = 0; parts[k]; k++)
        memset(out + (k * rows + n) * columns, 0, (rows - n) * columns * sizeof *out);
}

void outer_add(float *C, const float *A, size_t lda, const float *B, size_t ldb, size_t rows,
               const struct outer *g) {
    const struct products *p = g->products;
    assert(g->I <= p->widest && g->O <= p->widest);
    for (size_t row = 0, n; row < rows; row += n) {
        n = block_of(rows - row);
        const size_t deep = n == PRODUCTS_ROWS ? PRODUCTS_ROWS : PRODUCTS_FEW;
        split_below(p->left, PARTS[p->arithmetic].left, deep, A + row * lda, lda, n, g->I);
        split_below(p->right, PARTS[p->arithmetic].right, deep, B + row * ldb, ldb, n, g->O);
        onednn_product_add(C, n == PRODUCTS_ROWS ? g->many : g->few, p->left, p->right);
    }
}
