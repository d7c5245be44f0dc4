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

void gelu_forward(float *restrict y, const float *restrict x, size_t n) {
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) lanes_store(y + i, gelu(lanes_load(x + i)).y);
    lanes_store_tail(y + i, gelu(lanes_load_tail(x + i, n - i)).y, n - i);
}

void gelu_forward_derivative(float *restrict y, float *restrict x, size_t n) {
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        const struct gelu g = gelu(lanes_load(x + i));
        lanes_store(y + i, g.y);
        lanes_store(x + i, g.derivative);
    }
    const struct gelu g = gelu(lanes_load_tail(x + i, n - i));
    lanes_store_tail(y + i, g.y, n - i);
    lanes_store_tail(x + i, g.derivative, n - i);
}

void gelu_backward(float *restrict d, const float *restrict derivative, size_t n) {
    for (size_t i = 0; i < n; i++) d[i] *= derivative[i];
}
