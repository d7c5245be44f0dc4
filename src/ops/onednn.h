/*
 * onednn.h - oneDNN, if it was there when the program was built and is there when it runs: products
 * of bfloat16 matrices, summed in floats, and its single-precision GEMM.
 *
 * The library is opened at run time (dlopen), so that a program built with it also starts without
 * it, and loads nothing unless a config asks for it.  It computes with one thread.  Its kernels
 * are chosen by the instruction set of the CPU (or ONEDNN_MAX_CPU_ISA): results of one and
 * another differ in bits, as those of two BLAS cores do.
 */
#ifndef OPS_ONEDNN_H
#define OPS_ONEDNN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ops/blas.h"

struct onednn;

/* ERR_CONFIG with the reason where the program was built without oneDNN or it cannot be loaded. */
enum err_code onednn_open(struct onednn **out, struct err *err);
void onednn_close(struct onednn *o); /* NULL-safe */

/* Version and instruction set: "oneDNN 2.6.3, avx512_core_bf16". */
const char *onednn_kernel(const struct onednn *o);
bool onednn_has_bfloat(const struct onednn *o); /* instructions for bfloat16: avx512_bf16 or AMX */
bool onednn_has_tiles(const struct onednn *o);  /* AMX */

/* As blas_gemm(). */
void onednn_gemm(const struct onednn *o, float *restrict C, const float *restrict A,
                 const float *restrict B, enum blas_op op_a, enum blas_op op_b, float beta,
                 size_t M, size_t N, size_t K, size_t lda, size_t ldb, size_t ldc);

/* C [M,N] += A B of bfloat16 numbers; C is of floats, its rows ldc apart. */
struct onednn_shape {
    size_t M, N, K, ldc;
    bool turned; /* A is stored as [K,M], else as [M,K] */
    bool packed; /* B is stored as the kernel wants it, else as [K,N] */
};

struct onednn_product;

/* like: a product of the same N and K whose packed B this one reads too; NULL: there is none.
 * ERR_CONFIG where the library has no kernel for it. */
enum err_code onednn_product_create(struct onednn_product **out, const struct onednn *o,
                                    const struct onednn_shape *shape,
                                    const struct onednn_product *like, struct err *err);
void onednn_product_destroy(struct onednn_product *p); /* NULL-safe */

/* Bytes of a packed B, at a multiple of 64; pack: from numbers row_step and column_step apart. */
size_t onednn_product_bytes(const struct onednn_product *p);
enum err_code onednn_product_pack(void *to, const struct onednn_product *p, const uint16_t *B,
                                  size_t row_step, size_t column_step, struct err *err);

void onednn_product_add(float *C, const struct onednn_product *p, const uint16_t *A, const void *B);

#endif
