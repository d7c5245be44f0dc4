#include "ops/context.h"

#include <assert.h>
#include <math.h>

#include "ops/lanes.h"
#include "ops/softmax.h"

enum { TILE = 2 * LANES };

size_t context_capacity(size_t T) { return (T + TILE - 1) / TILE * TILE; }

size_t context_floats(size_t capacity, size_t H, size_t D) { return 2 * H * D * capacity; }

void context_pack(float *restrict kv, const float *restrict qkv, size_t B, size_t T, size_t H,
                  size_t D, size_t capacity) {
    const size_t E = H * D;
    assert(T <= capacity);
    for (size_t b = 0; b < B; b++) {
        float *out = kv + b * context_floats(capacity, H, D);
        const float *in = qkv + b * T * 3 * E + E;
        for (size_t t0 = 0; t0 < T; t0 += TILE) {
            const size_t t1 = t0 + TILE < T ? t0 + TILE : T;
            for (size_t c = 0; c < 2 * E; c++)
                for (size_t t = t0; t < t1; t++) out[c * capacity + t] = in[t * 3 * E + c];
        }
    }
}

/* out[j] = scale * sum over d of a[d] M[d,j], j < n; M [D,capacity]. Up to a whole tile of out is
 * written: zeros from n on. */
static void combine(float *restrict out, const float *restrict a, const float *restrict M,
                    float scale, size_t n, size_t D, size_t capacity) {
    for (size_t j = 0; j < n; j += TILE) {
        lanes even[2] = {{0}}, odd[2] = {{0}};
        const float *m = M + j;
        size_t d = 0;
        for (; d + 2 <= D; d += 2, m += 2 * capacity) {
            even[0] += a[d] * lanes_load(m);
            even[1] += a[d] * lanes_load(m + LANES);
            odd[0] += a[d + 1] * lanes_load(m + capacity);
            odd[1] += a[d + 1] * lanes_load(m + capacity + LANES);
        }
        if (d < D) {
            even[0] += a[d] * lanes_load(m);
            even[1] += a[d] * lanes_load(m + LANES);
        }
        const size_t left = n - j;
        lanes_store(out + j, lanes_keep(scale * (even[0] + odd[0]), left));
        lanes_store(out + j + LANES,
                    lanes_keep(scale * (even[1] + odd[1]), left < LANES ? 0 : left - LANES));
    }
}

/* Four rows of project() at once: four independent sums hide the latency of the adds. */
static void project_four(float *restrict out, const float *restrict w, const float *restrict M,
                         size_t n, size_t capacity) {
    lanes s[4] = {{0}};
    size_t j = 0;
    for (; j + LANES <= n; j += LANES)
        for (size_t i = 0; i < 4; i++) s[i] += lanes_load(w + j) * lanes_load(M + i * capacity + j);
    if (j < n)
        for (size_t i = 0; i < 4; i++)
            s[i] += lanes_keep(lanes_load(w + j), n - j) *
                    lanes_keep(lanes_load(M + i * capacity + j), n - j);
    for (size_t i = 0; i < 4; i++) out[i] += lanes_sum(s[i]);
}

/* out[d] += sum over j < n of w[j] M[d,j]; M [D,capacity]. */
static void project(float *restrict out, const float *restrict w, const float *restrict M, size_t n,
                    size_t D, size_t capacity) {
    size_t d = 0;
    for (; d + 4 <= D; d += 4) project_four(out + d, w, M + d * capacity, n, capacity);
    for (; d < D; d++) {
        lanes s = {0};
        for (size_t j = 0; j < n; j += LANES)
            s += lanes_keep(lanes_load(w + j), n - j) *
                 lanes_keep(lanes_load(M + d * capacity + j), n - j);
        out[d] += lanes_sum(s);
    }
}

/* Floats that a row of n + 1 may take of its capacity + 1: whole lanes where they fit. */
static size_t row_room(size_t n, size_t capacity) {
    return n == capacity ? n + 1 : (n / LANES + 1) * LANES;
}

static float dot(const float *x, const float *y, size_t D) {
    float s = 0.0f;
#pragma omp simd reduction(+ : s)
    for (size_t d = 0; d < D; d++) s += x[d] * y[d];
    return s;
}

/* One head of one row: q, k and v [D] of the row itself, K of the context (V is E rows behind it).
 * p gets the n + 1 probabilities. */
static void attend(float *restrict out, float *restrict p, const float *restrict q,
                   const float *restrict K, size_t n, size_t E, size_t D, size_t capacity) {
    const float *k = q + E, *v = k + E;
    const float scale = 1.0f / sqrtf((float)D);
    combine(p, q, K, scale, n, D, capacity);
    p[n] = scale * dot(q, k, D);
    softmax_row(p, n + 1, row_room(n, capacity));
    for (size_t d = 0; d < D; d++) out[d] = p[n] * v[d];
    project(out, p, K + E * capacity, n, D, capacity);
}

void context_attend(float *restrict z, float *restrict att, const float *restrict qkv,
                    const float *restrict kv, const uint32_t *restrict prompt,
                    const uint32_t *restrict tokens, size_t R, size_t H, size_t D,
                    size_t capacity) {
    const size_t E = H * D;
    assert(capacity % TILE == 0);
    for (size_t rh = 0; rh < R * H; rh++) {
        const size_t r = rh / H, h = rh % H;
        const float *K = kv + prompt[r] * context_floats(capacity, H, D) + h * D * capacity;
        assert(tokens[r] <= capacity);
        attend(z + r * E + h * D, att + rh * (capacity + 1), qkv + r * 3 * E + h * D, K, tokens[r],
               E, D, capacity);
    }
}

void context_attend_own(float *restrict z, float *restrict scratch, const float *restrict qkv,
                        const float *restrict kv, size_t T, size_t H, size_t D, size_t capacity) {
    const size_t E = H * D;
    assert(capacity % TILE == 0 && T <= capacity);
    for (size_t h = 0; h < H; h++)
        for (size_t t = 0; t < T; t++)
            attend(z + t * E + h * D, scratch, qkv + t * 3 * E + h * D, kv + h * D * capacity, t, E,
                   D, capacity);
}

void context_attend_backward(float *restrict dqkv, float *restrict scratch,
                             const float *restrict dz, const float *restrict att,
                             const float *restrict qkv, const float *restrict kv,
                             const uint32_t *restrict prompt, const uint32_t *restrict tokens,
                             size_t R, size_t H, size_t D, size_t capacity) {
    const size_t E = H * D;
    const float scale = 1.0f / sqrtf((float)D);
    assert(capacity % TILE == 0);
    for (size_t rh = 0; rh < R * H; rh++) {
        const size_t r = rh / H, h = rh % H, n = tokens[r];
        const float *q = qkv + r * 3 * E + h * D, *k = q + E, *v = k + E;
        const float *K = kv + prompt[r] * context_floats(capacity, H, D) + h * D * capacity;
        const float *p = att + rh * (capacity + 1), *g = dz + r * E + h * D;
        float *dq = dqkv + r * 3 * E + h * D, *dk = dq + E, *dv = dk + E, *ds = scratch;
        combine(ds, g, K + E * capacity, 1.0f, n, D, capacity);
        ds[n] = dot(g, v, D);
        softmax_row_backward(ds, p, scale, n + 1, row_room(n, capacity));
        for (size_t d = 0; d < D; d++) {
            dq[d] = ds[n] * k[d];
            dk[d] = ds[n] * q[d];
            dv[d] = p[n] * g[d];
        }
        project(dq, ds, K, n, D, capacity);
    }
}
