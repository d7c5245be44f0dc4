#include "ops/context_attention.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

#include "ops/half_lanes.h"
#include "ops/vmath.h"

/* The kernels are written once and inlined into a function for each precision (and common head
 * widths), so that the compiler sees both as constants. */
#define INLINE static inline __attribute__((always_inline))
typedef enum context_precision precision_t;

enum { LINE = 64 }; /* bytes the cache fetches at once */

INLINE lanes load(const unsigned char *M, size_t i, precision_t kind) {
    lanes v;
    if (kind == CONTEXT_HALF) return half_lanes_widen(M + 2 * i);
    memcpy(&v, M + sizeof(float) * i, sizeof v);
    return v;
}

/* ---- one head of one row */

struct head {
    const unsigned char *K, *V, *prefetch; /* prefetch: the block that is read after K and V */
    const float *q, *k, *v;                /* [D] of the row itself */
    size_t n, D;                           /* tokens seen */
    size_t earlier, row;                   /* rows before it that it sees; floats of a row */
    float scale;
};

/* Gradients of q, k and v. Heads of a group share k and v: all but the first of them add. Those of
 * earlier rows are complete when a later row adds to them. */
struct head_gradients {
    float *q, *k, *v;
    bool adds;
};

/* A pass over a block M [capacity / 8][D][8], of which n tokens are seen. `prefetch` is the block
 * that is read next: its lines are prefetched during this pass, so that memory is never idle. */
struct pass {
    const unsigned char *M, *prefetch;
    size_t n, D;
    const float *p; /* backward: the probabilities; forward: NULL */
};

/* out[i] = a . the eight tokens of tile i, i < tiles. A token's bits do not depend on `tiles`. */
INLINE void dots_part(lanes *out, const float *a, const unsigned char *M, size_t tiles, size_t D,
                      const unsigned char *prefetch, precision_t kind) {
    const size_t pair = 2 * LANES * context_layout_number(kind);
    lanes even[4] = {{0}}, odd[4] = {{0}};
    size_t d = 0;
    for (; d + 2 <= D; d += 2, prefetch += tiles * pair)
        for (size_t i = 0; i < tiles; i++) {
            const size_t at = (i * D + d) * LANES;
            __builtin_prefetch(prefetch + i * pair);
            even[i] += a[d] * load(M, at, kind);
            odd[i] += a[d + 1] * load(M, at + LANES, kind);
        }
    for (size_t i = 0; d < D && i < tiles; i++)
        even[i] += a[d] * load(M, (i * D + d) * LANES, kind);
    for (size_t i = 0; i < tiles; i++) out[i] = even[i] + odd[i];
}

/* w[j] = scale * a . M[j] for j < n. Returns lane by lane, forward: their maximum (-inf for none);
 * backward: the sum of their products with p. */
INLINE lanes dots(float *restrict w, const float *restrict a, float scale, struct pass m,
                  precision_t kind) {
    const size_t tile = LANES * m.D * context_layout_number(kind);
    lanes s[4], all = lanes_all(m.p ? 0.0f : -INFINITY);
    size_t j = 0;
    for (; j + 4 * LANES <= m.n; j += 4 * LANES, m.M += 4 * tile, m.prefetch += 4 * tile) {
        dots_part(s, a, m.M, 4, m.D, m.prefetch, kind);
        for (size_t i = 0; i < 4; i++) {
            lanes_store(w + j + i * LANES, s[i] *= scale);
            all = m.p ? all + s[i] * lanes_load(m.p + j + i * LANES) : lanes_max(all, s[i]);
        }
    }
    for (; j < m.n; j += LANES, m.M += tile, m.prefetch += tile) {
        const lane_mask seen = lanes_first(m.n - j);
        dots_part(s, a, m.M, 1, m.D, m.prefetch, kind);
        lanes_store(w + j, s[0] *= scale);
        if (m.p) s[0] *= lanes_load(m.p + j);
        s[0] = lanes_choose(seen, s[0], lanes_all(m.p ? 0.0f : -INFINITY));
        all = m.p ? all + s[0] : lanes_max(all, s[0]);
    }
    return all;
}

/* Transforms w between the two passes. Forward: exp(w - level); returns their sum. Backward:
 * scale * p * (w - level), the gradient of the scores from that of the probabilities. Also
 * prefetches the first part of the block that the second pass prefetches. */
INLINE lanes transform_scores(float *restrict w, float level, float scale, struct pass *m,
                              precision_t kind) {
    const size_t share = LANES * LANES * context_layout_number(kind);
    lanes sum = {0};
    for (size_t j = 0; j < m->n; j += LANES, m->prefetch += share) {
        lanes v = lanes_load(w + j) - level;
        for (size_t i = 0; i < share; i += LINE) __builtin_prefetch(m->prefetch + i);
        v = m->p ? scale * lanes_load(m->p + j) * v : vmath_exp(v);
        if (j + LANES > m->n) v = lanes_keep(v, m->n - j);
        lanes_store(w + j, v);
        sum += v;
    }
    return sum;
}

/* out[0 .. count) of project(); the last part has nothing left to prefetch. */
INLINE void project_part(float *restrict out, const float *restrict w, struct pass m, size_t count,
                         bool last, precision_t kind) {
    const size_t tile = LANES * m.D * context_layout_number(kind);
    const size_t share = LANES * LANES * context_layout_number(kind);
    lanes s[LANES] = {{0}};
    size_t j = 0;
    for (; j + LANES <= m.n; j += LANES, m.M += tile, m.prefetch += share) {
        const lanes v = lanes_load(w + j);
        for (size_t i = 0; i < share && !last; i += LINE) __builtin_prefetch(m.prefetch + i);
        for (size_t i = 0; i < count; i++) s[i] += v * load(m.M, i * LANES, kind);
    }
    if (j < m.n) {
        const lanes v = lanes_load(w + j);
        for (size_t i = 0; i < count; i++)
            s[i] += v * lanes_keep(load(m.M, i * LANES, kind), m.n - j);
    }
    const lanes sums = lanes_sums(s);
    if (count == LANES)
        lanes_store(out, sums);
    else
        lanes_store_tail(out, sums, count);
}

/* out[d] = sum over j < n of w[j] M[j,d]; w is 0 from n on. */
INLINE void project(float *restrict out, const float *restrict w, struct pass m, precision_t kind) {
    const size_t part = LANES * LANES * context_layout_number(kind);
    const size_t shares = (m.n + LANES - 1) / LANES * part;
    size_t d = 0;
    for (; d + LANES < m.D; d += LANES, m.M += part, m.prefetch += shares)
        project_part(out + d, w, m, LANES, false, kind);
    if (d + LANES == m.D)
        project_part(out + d, w, m, LANES, true, kind);
    else
        project_part(out + d, w, m, m.D - d, true, kind);
}

static float dot(const float *x, const float *y, size_t D) {
    float s = 0.0f;
#pragma omp simd reduction(+ : s)
    for (size_t d = 0; d < D; d++) s += x[d] * y[d];
    return s;
}

/* The score of the row for the i-th row before it. */
static float earlier_score(const struct head *h, size_t i) {
    return h->scale * dot(h->q, h->k - i * h->row, h->D);
}

static float largest_score(const struct head *h, float level) {
    for (size_t i = h->earlier; i > 0; i--) {
        const float s = earlier_score(h, i);
        level = s > level ? s : level;
    }
    return level;
}

static float exp_of(float x) { return vmath_exp(lanes_all(x))[0]; }

/* sum of exp(score - level) over the earlier rows, added to `sum`. */
static float add_earlier(const struct head *h, float level, float sum) {
    for (size_t i = h->earlier; i > 0; i--) sum += exp_of(earlier_score(h, i) - level);
    return sum;
}

/* Their probabilities p[0 .. earlier), and out += the sum of p v. */
static void project_earlier(float *restrict out, float *restrict p, const struct head *h,
                            float level, float part) {
    for (size_t i = h->earlier; i > 0; i--, p++) {
        const float *v = h->v - i * h->row;
        *p = exp_of(earlier_score(h, i) - level) * part;
        for (size_t d = 0; d < h->D; d++) out[d] += *p * v[d];
    }
}

/* out = sum of p[j] V[j], of the earlier rows, and of the row itself. p receives the probabilities,
 * but holds exp(score - level) until they are divided by their sum at the end. */
INLINE void forward(float *restrict out, float *restrict p, const struct head *h, size_t D,
                    precision_t kind) {
    const float scale = h->scale;
    const size_t n = h->n;
    const float own = scale * dot(h->q, h->k, D);
    lanes top = dots(p, h->q, scale, (struct pass){h->K, h->V, n, D, NULL}, kind);
    top = lanes_max(top, lanes_all(own));
    const float level = largest_score(h, lanes_top(top));
    struct pass second = {h->V, h->prefetch, n, D, NULL};
    const lanes sum = transform_scores(p, level, scale, &second, kind);
    project(out, p, second, kind);
    const float e = vmath_exp(lanes_all(own - level))[0];
    const float part = 1.0f / add_earlier(h, level, lanes_sum(sum) + e), own_part = e * part;
    for (size_t j = 0; j < n; j += LANES) lanes_store(p + j, lanes_load(p + j) * part);
    for (size_t d = 0; d < D; d++) out[d] = out[d] * part + own_part * h->v[d];
    project_earlier(out, p + n, h, level, part);
    p[n + h->earlier] = own_part;
}

/* Adds the sum of p * dp over the earlier rows, dp = <g, v>. */
static float level_of_earlier(const struct head *h, const float *g, const float *p, float level) {
    for (size_t i = h->earlier; i > 0; i--) level += *p++ * dot(g, h->v - i * h->row, h->D);
    return level;
}

static void earlier_backward(const struct head_gradients *to, const float *restrict g,
                             const float *restrict p, const struct head *h, float level) {
    for (size_t i = h->earlier; i > 0; i--, p++) {
        const float *k = h->k - i * h->row, *v = h->v - i * h->row;
        float *dk = to->k - i * h->row, *dv = to->v - i * h->row;
        const float ds = h->scale * *p * (dot(g, v, h->D) - level);
        for (size_t d = 0; d < h->D; d++) {
            to->q[d] += ds * k[d];
            dk[d] += ds * h->q[d];
            dv[d] += *p * g[d];
        }
    }
}

INLINE void backward(const struct head_gradients *to, float *restrict ds, const float *restrict g,
                     const float *restrict p, const struct head *h, size_t D, precision_t kind) {
    const size_t n = h->n;
    const float own = dot(g, h->v, D);
    const lanes all = dots(ds, g, 1.0f, (struct pass){h->V, h->K, n, D, p}, kind);
    const float p_own = p[n + h->earlier];
    const float level = level_of_earlier(h, g, p + n, lanes_sum(all) + p_own * own);
    const float d_own = h->scale * p_own * (own - level);
    struct pass second = {h->K, h->prefetch, n, D, p};
    (void)transform_scores(ds, level, h->scale, &second, kind);
    project(to->q, ds, second, kind);
    for (size_t d = 0; d < D; d++) {
        to->q[d] += d_own * h->k[d];
        const float dk = d_own * h->q[d], dv = p_own * g[d];
        to->k[d] = to->adds ? to->k[d] + dk : dk;
        to->v[d] = to->adds ? to->v[d] + dv : dv;
    }
    earlier_backward(to, g, p + n, h, level);
}

struct kernels {
    void (*forward)(float *out, float *p, const struct head *h);
    void (*backward)(const struct head_gradients *to, float *ds, const float *g, const float *p,
                     const struct head *h);
};

#define KERNELS(name, size, kind)                                                                  \
    static void name##_forward(float *out, float *p, const struct head *h) {                       \
        forward(out, p, h, size, kind);                                                            \
    }                                                                                              \
    static void name##_backward(const struct head_gradients *to, float *ds, const float *g,        \
                                const float *p, const struct head *h) {                            \
        backward(to, ds, g, p, h, size, kind);                                                     \
    }                                                                                              \
    static const struct kernels name = {name##_forward, name##_backward};

KERNELS(single_16, 16, CONTEXT_SINGLE)
KERNELS(single_32, 32, CONTEXT_SINGLE)
KERNELS(single_64, 64, CONTEXT_SINGLE)
KERNELS(single_any, h->D, CONTEXT_SINGLE)
KERNELS(half_16, 16, CONTEXT_HALF)
KERNELS(half_32, 32, CONTEXT_HALF)
KERNELS(half_64, 64, CONTEXT_HALF)
KERNELS(half_any, h->D, CONTEXT_HALF)

static const struct kernels *kernels_of(const struct context_layout *layout) {
    const bool half = layout->precision == CONTEXT_HALF;
    switch (layout->heads.D) {
    case 16:
        return half ? &half_16 : &single_16;
    case 32:
        return half ? &half_32 : &single_32;
    case 64:
        return half ? &half_64 : &single_64;
    default:
        return half ? &half_any : &single_any;
    }
}

/* ---- all rows and heads */

/* Head h of the row at qkv, over the context of its prompt at kv. */
static struct head head_of(const float *qkv, const unsigned char *kv, size_t h, size_t n,
                           const struct context_layout *layout) {
    const struct head_layout *l = &layout->heads;
    const size_t block = context_layout_block(layout);
    const unsigned char *K = kv + 2 * (h / (l->H / l->KV)) * block;
    return (struct head){.K = K,
                         .V = K + block,
                         .prefetch = K + 2 * block,
                         .q = qkv + head_layout_q(l, h),
                         .k = qkv + head_layout_k(l, h),
                         .v = qkv + head_layout_v(l, h),
                         .n = n,
                         .D = l->D,
                         .row = l->row,
                         .scale = l->scale};
}

void context_attention_forward(float *restrict z, float *restrict att, const float *restrict qkv,
                               const void *restrict kv, const uint32_t *restrict prompt,
                               const uint32_t *restrict tokens, const uint32_t *restrict earlier,
                               size_t R, const struct context_layout *layout) {
    const struct head_layout *l = &layout->heads;
    const size_t H = l->H, D = l->D, stride = context_layout_stride(layout);
    const struct kernels *kernels = kernels_of(layout);
    const unsigned char *base = kv;
    assert(layout->capacity % LANES == 0);
    for (size_t rh = 0; rh < R * H; rh++) {
        const size_t r = rh / H, h = rh % H;
        struct head one =
            head_of(qkv + r * l->row, base + prompt[r] * stride, h, tokens[r], layout);
        one.earlier = earlier ? earlier[r] : 0;
        assert(tokens[r] <= layout->capacity && one.earlier <= layout->earlier);
        if (h + 1 == H && r + 1 < R) one.prefetch = base + prompt[r + 1] * stride;
        kernels->forward(z + rh * D, att + rh * (layout->capacity + 1 + layout->earlier), &one);
    }
}

static struct head_gradients gradients_at(float *dqkv, const struct head_layout *l, size_t h) {
    return (struct head_gradients){dqkv + head_layout_q(l, h), dqkv + head_layout_k(l, h),
                                   dqkv + head_layout_v(l, h), h % (l->H / l->KV) != 0};
}

void context_attention_backward(float *restrict dqkv, float *restrict scratch,
                                const float *restrict dz, const float *restrict att,
                                const float *restrict qkv, const void *restrict kv,
                                const uint32_t *restrict prompt, const uint32_t *restrict tokens,
                                const uint32_t *restrict earlier, size_t R,
                                const struct context_layout *layout) {
    const struct head_layout *l = &layout->heads;
    const size_t H = l->H, stride = context_layout_stride(layout),
                 block = context_layout_block(layout);
    const struct kernels *kernels = kernels_of(layout);
    const unsigned char *base = kv;
    assert(layout->capacity % LANES == 0);
    for (size_t rh = 0; rh < R * H; rh++) {
        const size_t r = rh / H, h = rh % H;
        struct head one =
            head_of(qkv + r * l->row, base + prompt[r] * stride, h, tokens[r], layout);
        const struct head_gradients to = gradients_at(dqkv + r * l->row, l, h);
        if (h + 1 == H && r + 1 < R) one.prefetch = base + prompt[r + 1] * stride;
        one.earlier = earlier ? earlier[r] : 0;
        one.prefetch += block;
        kernels->backward(&to, scratch, dz + rh * l->D,
                          att + rh * (layout->capacity + 1 + layout->earlier), &one);
    }
}
