#include "ops/activation.h"

#include <string.h>

#include "ops/vmath.h"

/* GELU = x s with s = 1 / (1 + exp(-2u)) = (1 + tanh u) / 2, u = sqrt(2/pi) (x + 0.044715 x^3): one
 * exp, and small results keep their relative precision. */
static const float TWO_U = 1.5957691216057308f; /* 2 sqrt(2/pi) */
static const float CUBE = 0.044715f;
static const float EXP_MAX = 80.0f; /* keeps 1 + exp finite; the result is then below 1e-31 */

enum { BLOCK = 256 }; /* floats on the stack: a tail is padded, every element takes one path */

static void block_exp(float *restrict e, const float *restrict x) {
    for (size_t i = 0; i < BLOCK; i++) {
        const float a = -TWO_U * (x[i] + CUBE * x[i] * x[i] * x[i]);
        e[i] = a > EXP_MAX ? EXP_MAX : a;
    }
    vmath_exp(e, e, BLOCK);
}

static void block_forward(float *restrict y, const float *restrict x) {
    float e[BLOCK];
    block_exp(e, x);
    for (size_t i = 0; i < BLOCK; i++) y[i] = x[i] / (1.0f + e[i]);
}

/* out = dy (s + x s (1 - s) 2u'), with 1 - s = e s: no cancellation. */
static void block_backward(float *restrict out, const float *restrict dy, const float *restrict x) {
    float e[BLOCK];
    block_exp(e, x);
    for (size_t i = 0; i < BLOCK; i++) {
        const float s = 1.0f / (1.0f + e[i]);
        const float two_du = TWO_U * (1.0f + 3.0f * CUBE * x[i] * x[i]);
        out[i] = dy[i] * (s + x[i] * (e[i] * s * s) * two_du);
    }
}

void gelu_forward(float *restrict y, const float *restrict x, size_t n) {
    size_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK) block_forward(y + i, x + i);
    if (i == n) return;
    float in[BLOCK] = {0}, out[BLOCK];
    memcpy(in, x + i, (n - i) * sizeof *x);
    block_forward(out, in);
    memcpy(y + i, out, (n - i) * sizeof *y);
}

void gelu_backward(float *restrict dx, const float *restrict dy, const float *restrict x,
                   size_t n) {
    for (size_t i = 0; i < n; i += BLOCK) {
        const size_t m = n - i < BLOCK ? n - i : BLOCK;
        float in[BLOCK] = {0}, din[BLOCK] = {0}, out[BLOCK];
        memcpy(in, x + i, m * sizeof *x);
        memcpy(din, dy + i, m * sizeof *dy);
        block_backward(out, din, in);
        for (size_t j = 0; j < m; j++) dx[i + j] += out[j];
    }
}
