/*
 * ops_twin.h - naive implementations of the operations of src/ops/, in double.
 *
 * They are the reference of values, and their central differences that of gradients.  Shapes and
 * meanings are those of src/ops/; no code is shared with it.
 */
#ifndef TWINS_OPS_TWIN_H
#define TWINS_OPS_TWIN_H

#include <stddef.h>
#include <stdint.h>

#include "ops/head_layout.h"
#include "ops/rotary.h"

/* One array in both precisions. The values are equal, so that only the arithmetic differs. */
struct pair {
    size_t n;
    float *f;
    double *d;
};

struct pair pair_normals(size_t n, uint64_t seed, double scale); /* exits when out of memory */
struct pair pair_filled(size_t n, double value);
void pair_free(struct pair *p);

/* Largest |got - want| / max(1, |want|); infinite when either is NaN. */
double twin_error(const float *got, const double *want, size_t n);

/* Central difference of f(context) in one number *x that f reads, with step 1e-5; *x is restored.
 */
double twin_slope(double (*f)(void *context), void *context, double *x);

double twin_dot(const double *x, const double *y, size_t n);

/* y [N,O] = x [N,I] W + b; W is [I,O], or [O,I] when out_in; b may be NULL. */
void twin_linear(double *y, const double *x, const double *W, const double *b, size_t N, size_t I,
                 size_t O, int out_in);
void twin_layernorm(double *y, const double *x, const double *gain, const double *bias, double eps,
                    size_t R, size_t E);
void twin_gelu(double *y, const double *x, size_t n);
void twin_softmax(double *x, size_t n); /* in place */

void twin_rmsnorm(double *y, const double *x, const double *gain, double eps, size_t R, size_t E);
void twin_gelu_erf(double *y, const double *x, size_t n);
void twin_silu(double *y, const double *x, size_t n);

/* Turns x [width], a head at `position`, by the angles of the first r->dims coordinates. */
void twin_rotary(double *x, double position, const struct rotary_dims *r, enum rotary_pairs pairs);

/* qkv [B,T,row] -> z [B,T,H D]; att [B,H,T,T] may be NULL. */
void twin_attention(double *z, double *att, const double *qkv, size_t B, size_t T,
                    const struct head_layout *heads);

/* Query rows qkv [R,row] over contexts given as their own qkv [B,T,row] -> z [R,H D]. */
void twin_context_attend(double *z, const double *qkv, const double *context,
                         const uint32_t *prompt, const uint32_t *tokens, size_t R, size_t T,
                         const struct head_layout *heads);

double twin_mse(const double *pred, const double *target, double weight, size_t n);
double twin_huber(const double *pred, const double *target, double delta, double weight, size_t n);
double twin_logistic(const double *pred, const double *target, double weight, size_t n);

#endif
