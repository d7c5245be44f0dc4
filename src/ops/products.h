/*
 * products.h - products of matrices by oneDNN: in bfloat16 parts of floats, or its f32 GEMM.
 *
 * A float is the sum of two bfloat16 parts, x = hi + lo (bfloat.h).  A product x w of floats is
 * then hi hi + hi lo + lo hi up to about 2^-16, which one product of three times the depth
 * computes: [hi hi lo] [hi; lo; hi] (Henry, Tang and Heinecke, arXiv:1904.06376, section 2).  All
 * sums are in floats.  Factors are split in blocks of PRODUCTS_ROWS or PRODUCTS_FEW rows that stay
 * in cache, the last one filled up with zeros, so that the bits of a row depend neither on the
 * other rows nor on their number; tests/ops/test_products.c holds that.
 */
#ifndef OPS_PRODUCTS_H
#define OPS_PRODUCTS_H

#include "ops/onednn.h"

enum arithmetic {
    ARITHMETIC_F32,
    ARITHMETIC_BF16X3, /* both factors in two parts */
    ARITHMETIC_BF16X2, /* rows of activations, or of their gradients, in two parts; weights in one
                        */
    ARITHMETIC_BF16,
    ARITHMETICS
};

const char *arithmetic_name(enum arithmetic a);     /* as in a config */
enum arithmetic arithmetic_named(const char *name); /* one of these names */
size_t arithmetic_parts(enum arithmetic a);         /* of the depth of a product: 1, 2 or 3 */

enum { PRODUCTS_ROWS = 256, PRODUCTS_FEW = 32 };

/* The products of a model: the library, and room for split factors. */
struct products {
    struct onednn *library;
    enum arithmetic arithmetic;
    uint16_t *left, *right; /* [3, PRODUCTS_ROWS, widest] split factors */
    float *rows;            /* [PRODUCTS_FEW, widest] of a last block */
    size_t widest;          /* numbers in a row of a factor or result at most */
};

/* ERR_CONFIG with the reason where the library cannot be loaded, or the CPU has no instructions for
 * bfloat16 and `a` needs them. */
enum err_code products_open(struct products **out, enum arithmetic a, struct err *err);
void products_close(struct products *p); /* NULL-safe */

/* Room for factors and results of rows of n numbers. ERR_MEMORY. */
enum err_code products_reserve(struct products *p, size_t n, struct err *err);

/* A matrix [K,N] for many products with rows: packed, in bfloat16. */
struct packed {
    struct products *products;
    enum arithmetic arithmetic;
    struct onednn_product *many, *few; /* of PRODUCTS_ROWS and of PRODUCTS_FEW rows */
    size_t K, N, ldc;
    void *numbers;
};

/* For results whose rows are ldc apart. packed_fill() gives it its numbers. ERR_MEMORY, ERR_CONFIG.
 */
enum err_code packed_init(struct packed *m, struct products *p, enum arithmetic a, size_t K,
                          size_t N, size_t ldc, struct err *err);
void packed_release(struct packed *m); /* idempotent */

/* W: [K,N], or [N,K] if `turned`; its rows are ldw apart. scratch: [arithmetic_parts, K, N]. */
enum err_code packed_fill(struct packed *m, const float *W, size_t ldw, bool turned,
                          uint16_t *scratch, struct err *err);

/* C [M,N] += A [M,K] W; rows of A are lda apart. */
void packed_add(float *C, const float *A, size_t lda, size_t M, const struct packed *m);

/* C [I,O] += A^T B, A [rows,I] and B [rows,O] of any number of rows: the gradient of a matrix. */
struct outer {
    struct products *products;
    struct onednn_product *many, *few;
    size_t I, O;
};

/* For results whose rows are ldc apart. ERR_MEMORY, ERR_CONFIG. */
enum err_code outer_init(struct outer *g, struct products *p, size_t I, size_t O, size_t ldc,
                         struct err *err);
void outer_release(struct outer *g); /* idempotent */
void outer_add(float *C, const float *A, size_t lda, const float *B, size_t ldb, size_t rows,
               const struct outer *g);

#endif
