#include "ops/softmax.h"

#include <math.h>

#include "ops/lanes.h"
#include "ops/vmath.h"

/* A NaN may be missed here; exp() of it makes the whole row NaN later. */
static float row_max(const float *x, size_t n, size_t room) {
    lanes top = lanes_all(x[0]);
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) top = lanes_max(top, lanes_load(x + i));
    if (i < n) top = lanes_max(top, lanes_load_first(x + i, n - i, room - i, x[0]));
    return lanes_top(top);
}

/* Stores the last, incomplete lanes at x + whole, and zeros up to the room. */
static void store_tail(float *x, lanes tail, size_t whole, size_t room) {
    if (whole == room) return;
    lanes_store_first(x + whole, tail, room - whole);
    if (whole + LANES < room) memset(x + whole + LANES, 0, (room - whole - LANES) * sizeof *x);
}

void softmax_row(float *x, size_t n, size_t room) {
    const lanes max = lanes_all(row_max(x, n, room));
    const size_t whole = n - n % LANES;
    lanes sum = {0}, tail = {0};
    for (size_t i = 0; i < whole; i += LANES) {
        const lanes v = vmath_exp(lanes_load(x + i) - max);
        sum += v;
        lanes_store(x + i, v);
    }
    if (whole < n) tail = lanes_load_first(x + whole, n - whole, room - whole, -INFINITY);
    if (whole < n) sum += tail = vmath_exp(tail - max);
    const lanes inverse = lanes_all(1.0f / lanes_sum(sum));
    for (size_t i = 0; i < whole; i += LANES) lanes_store(x + i, lanes_load(x + i) * inverse);
    store_tail(x, tail * inverse, whole, room);
}

void softmax_row_backward(float *restrict dp, const float *restrict p, float scale, size_t n,
                          size_t room) {
    const size_t whole = n - n % LANES;
    lanes sum = {0}, q = {0}, v = {0};
    for (size_t i = 0; i < whole; i += LANES) sum += lanes_load(dp + i) * lanes_load(p + i);
    if (whole < n) {
        q = lanes_load_first(p + whole, n - whole, n - whole, 0.0f);
        v = lanes_load_first(dp + whole, n - whole, room - whole, 0.0f);
        sum += v * q;
    }
    const lanes dot = lanes_all(lanes_sum(sum));
    for (size_t i = 0; i < whole; i += LANES)
        lanes_store(dp + i, scale * lanes_load(p + i) * (lanes_load(dp + i) - dot));
    store_tail(dp, lanes_keep(scale * q * (v - dot), n - whole), whole, room);
}
