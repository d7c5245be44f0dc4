#include "ops/activation.h"

#include "ops/vmath.h"

/* GELU = x s with s = 1 / (1 + exp(-2u)) = (1 + tanh u) / 2, u = sqrt(2/pi) (x + 0.044715 x^3): one
 * exp, and small results keep their relative precision. */
static const float TWO_U = 1.5957691216057308f; /* 2 sqrt(2/pi) */
static const float CUBE = 0.044715f;
static const float EXP_MAX = 80.0f; /* keeps 1 + exp finite; the result is then below 1e-31 */

enum { BLOCK = 256 }; /* floats that stay in the first-level cache between exp and its use */

static void exp_of_minus_two_u(float *restrict e, const float *restrict x, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const float a = -TWO_U * (x[i] + CUBE * x[i] * x[i] * x[i]);
        e[i] = a > EXP_MAX ? EXP_MAX : a;
    }
    vmath_exp(e, e, n);
}

void gelu_forward(float *restrict y, const float *restrict x, size_t n) {
    for (size_t first = 0; first < n; first += BLOCK) {
        const size_t m = n - first < BLOCK ? n - first : BLOCK;
        float e[BLOCK];
        exp_of_minus_two_u(e, x + first, m);
        for (size_t i = 0; i < m; i++) y[first + i] = x[first + i] / (1.0f + e[i]);
    }
}

/* dx += dy (s + x s (1 - s) 2u'), with 1 - s = e s: no cancellation. */
static void block_backward(float *restrict dx, const float *restrict dy, const float *restrict x,
                           size_t n) {
    float e[BLOCK];
    exp_of_minus_two_u(e, x, n);
    for (size_t i = 0; i < n; i++) {
        const float s = 1.0f / (1.0f + e[i]);
        const float two_du = TWO_U * (1.0f + 3.0f * CUBE * x[i] * x[i]);
        dx[i] += dy[i] * (s + x[i] * (e[i] * s * s) * two_du);
    }
}

void gelu_backward(float *restrict dx, const float *restrict dy, const float *restrict x,
                   size_t n) {
    for (size_t i = 0; i < n; i += BLOCK)
        block_backward(dx + i, dy + i, x + i, n - i < BLOCK ? n - i : BLOCK);
}
