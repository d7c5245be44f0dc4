#include "ops/activation.h"

#include "ops/vmath.h"

/* GELU = x s with s = 1 / (1 + exp(-2u)) = (1 + tanh u) / 2, u = sqrt(2/pi) (x + 0.044715 x^3).
 * This needs one exp, and small results have full relative precision. */
static const float TWO_U = 1.5957691216057308f; /* 2 sqrt(2/pi) */
static const float CUBE = 0.044715f;
/* So that 1 + exp stays finite; the result is below 1e-31 there. */
static const float EXP_MAX = 80.0f;

static inline lanes exp_of_minus_two_u(lanes x) {
    const lanes a = x * (-TWO_U - TWO_U * CUBE * (x * x)), most = lanes_all(EXP_MAX);
    return vmath_exp(lanes_choose(a > most, most, a));
}

struct gelu {
    lanes y, derivative;
};

/* dy/dx = s + x s (1 - s) 2u', where 1 - s = e s avoids cancellation. */
static inline struct gelu gelu(lanes x) {
    const lanes e = exp_of_minus_two_u(x), s = 1.0f / (1.0f + e), y = x * s;
    return (struct gelu){y, s + (e * s) * (y * (TWO_U + 3.0f * CUBE * TWO_U * (x * x)))};
}

/* erfc(z) for z >= 0 with relative error 1.2e-7: Press et al., Numerical Recipes in C, 2nd edition,
 * section 6.2, a Chebyshev fit. */
static inline lanes erfc_of_positive(lanes z) {
    static const float C[] = {0.17087277f,  -0.82215223f, 1.48851587f, -1.13520398f, 0.27886807f,
                              -0.18628806f, 0.09678418f,  0.37409196f, 1.00002368f,  -1.26551223f};
    const lanes t = 1.0f / (1.0f + 0.5f * z);
    lanes p = lanes_all(C[0]);
    for (size_t i = 1; i < sizeof C / sizeof *C; i++) p = p * t + C[i];
    return t * vmath_exp(p - z * z);
}

/* y = x P, dy/dx = P + x density(x), where P = P(X <= x). */
static inline struct gelu gelu_erf(lanes x) {
    const float ROOT_HALF = 0.70710678f, ROOT_TWO_PI = 0.39894228f; /* sqrt(1/2), 1 / sqrt(2 pi) */
    const lanes size = lanes_max(x, -x), tail = 0.5f * erfc_of_positive(size * ROOT_HALF);
    const lanes P = lanes_choose(x < lanes_all(0.0f), tail, 1.0f - tail), y = x * P;
    return (struct gelu){y, P + x * (ROOT_TWO_PI * vmath_exp(-0.5f * x * x))};
}

/* dy/dx = s + x s (1 - s), where 1 - s = e s avoids cancellation. */
static inline struct gelu silu(lanes x) {
    const lanes most = lanes_all(EXP_MAX), e = vmath_exp(lanes_choose(-x > most, most, -x));
    const lanes s = 1.0f / (1.0f + e), y = x * s;
    return (struct gelu){y, s + (e * s) * y};
}

#define FORWARD(name, function)                                                                    \
    void name(float *y, const float *x, size_t n) {                                                \
        size_t i = 0;                                                                              \
        for (; i + LANES <= n; i += LANES) lanes_store(y + i, function(lanes_load(x + i)).y);      \
        lanes_store_tail(y + i, function(lanes_load_tail(x + i, n - i)).y, n - i);                 \
    }

#define FORWARD_DERIVATIVE(name, function)                                                         \
    void name(float *restrict y, float *restrict x, size_t n) {                                    \
        size_t i = 0;                                                                              \
        for (; i + LANES <= n; i += LANES) {                                                       \
            const struct gelu g = function(lanes_load(x + i));                                     \
            lanes_store(y + i, g.y);                                                               \
            lanes_store(x + i, g.derivative);                                                      \
        }                                                                                          \
        const struct gelu g = function(lanes_load_tail(x + i, n - i));                             \
        lanes_store_tail(y + i, g.y, n - i);                                                       \
        lanes_store_tail(x + i, g.derivative, n - i);                                              \
    }

/* The product of activation and `up`, in one pass over both. */
#define GATED(name, function)                                                                      \
    static void name(float *y, const float *x, const float *up, size_t n) {                        \
        size_t i = 0;                                                                              \
        for (; i + LANES <= n; i += LANES)                                                         \
            lanes_store(y + i, function(lanes_load(x + i)).y * lanes_load(up + i));                \
        const lanes tail = function(lanes_load_tail(x + i, n - i)).y;                              \
        lanes_store_tail(y + i, tail * lanes_load_tail(up + i, n - i), n - i);                     \
    }

/* clang-format off */
FORWARD(gelu_forward, gelu)
FORWARD_DERIVATIVE(gelu_forward_derivative, gelu)
GATED(gelu_gated, gelu)
static FORWARD(gelu_erf_forward, gelu_erf)
static FORWARD_DERIVATIVE(gelu_erf_forward_derivative, gelu_erf)
GATED(gelu_erf_gated, gelu_erf)
static FORWARD(silu_forward, silu)
static FORWARD_DERIVATIVE(silu_forward_derivative, silu)
GATED(silu_gated, silu)
    /* clang-format on */

    void activation_forward(enum activation_kind kind, float *y, const float *x, size_t n) {
    switch (kind) {
    case ACTIVATION_GELU_TANH:
        gelu_forward(y, x, n);
        return;
    case ACTIVATION_GELU_ERF:
        gelu_erf_forward(y, x, n);
        return;
    case ACTIVATION_SILU:
        silu_forward(y, x, n);
        return;
    }
}

void activation_gated_forward(enum activation_kind kind, float *y, const float *x, const float *up,
                              size_t n) {
    switch (kind) {
    case ACTIVATION_GELU_TANH:
        gelu_gated(y, x, up, n);
        return;
    case ACTIVATION_GELU_ERF:
        gelu_erf_gated(y, x, up, n);
        return;
    case ACTIVATION_SILU:
        silu_gated(y, x, up, n);
        return;
    }
}

void activation_forward_derivative(enum activation_kind kind, float *restrict y, float *restrict x,
                                   size_t n) {
    switch (kind) {
    case ACTIVATION_GELU_TANH:
        gelu_forward_derivative(y, x, n);
        return;
    case ACTIVATION_GELU_ERF:
        gelu_erf_forward_derivative(y, x, n);
        return;
    case ACTIVATION_SILU:
        silu_forward_derivative(y, x, n);
        return;
    }
}

void gelu_backward(float *restrict d, const float *restrict derivative, size_t n) {
    for (size_t i = 0; i < n; i++) d[i] *= derivative[i];
}
