#include "ops/softmax.h"

#include <math.h>

#include "ops/lanes.h"
#include "ops/vmath.h"

/* A NaN may be passed over: exp spreads it later. */
static float row_max(const float *x, size_t n, size_t room) {
    lanes top = lanes_all(x[0]);
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) top = lanes_max(top, lanes_load(x + i));
    if (i < n) top = lanes_max(top, lanes_load_first(x + i, n - i, room - i, x[0]));
    return lanes_top(top);
}

void softmax_row(float *x, size_t n, size_t room) {
    const lanes max = lanes_all(row_max(x, n, room));
    lanes sum = {0};
    size_t i = 0;
    for (; i < n; i += LANES) {
        lanes v = lanes_load_first(x + i, n - i, room - i, -INFINITY);
        v = vmath_exp(v - max);
        sum += v;
        lanes_store_first(x + i, v, room - i);
    }
    const lanes inverse = lanes_all(1.0f / lanes_sum(sum));
    for (size_t j = 0; j < i; j += LANES) {
        const lanes v = lanes_load_first(x + j, n - j, room - j, 0.0f);
        lanes_store_first(x + j, v * inverse, room - j);
    }
    if (i < room) memset(x + i, 0, (room - i) * sizeof *x);
}

void softmax_row_backward(float *restrict dp, const float *restrict p, float scale, size_t n,
                          size_t room) {
    lanes sum = {0};
    size_t i = 0;
    for (; i < n; i += LANES)
        sum += lanes_load_first(dp + i, n - i, room - i, 0.0f) *
               lanes_load_first(p + i, n - i, n - i, 0.0f);
    const lanes dot = lanes_all(lanes_sum(sum));
    for (size_t j = 0; j < n; j += LANES) {
        const lanes q = lanes_load_first(p + j, n - j, n - j, 0.0f);
        const lanes v = lanes_load_first(dp + j, n - j, room - j, 0.0f);
        lanes_store_first(dp + j, lanes_keep(scale * q * (v - dot), n - j), room - j);
    }
    if (i < room) memset(dp + i, 0, (room - i) * sizeof *dp);
}
