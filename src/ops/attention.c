#include "ops/attention.h"

#include <stdbool.h>
#include <string.h>

#include "ops/softmax.h"
#include "ops/tile.h"

/* The sizes of one head of one prompt. Heads are processed one at a time: the vectors of a head are
 * copied next to each other, so that they fit the first-level cache, and products run in tiles that
 * stop at the diagonal. */
struct head {
    size_t T, D, R, step; /* tokens, width, queries and the tokens from one to the next */
    size_t wide, deep;    /* floats between rows of T, and of D numbers */
    size_t row, width;    /* floats of a token in qkv and in z */
    float scale;
};

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* An odd number of cache lines, so that the elements of a column fall into all sets of the cache.
 */
static size_t row_floats(size_t n) {
    const size_t lines = tile_columns(n) / TILE_COLUMNS;
    return (lines | 1) * TILE_COLUMNS;
}

static struct head head_of(const struct attention_shape *s) {
    return (struct head){.T = s->T,
                         .D = s->heads.D,
                         .R = (s->T + s->step - 1) / s->step,
                         .step = s->step,
                         .wide = row_floats(s->T),
                         .deep = tile_columns(s->heads.D),
                         .row = s->heads.row,
                         .width = s->heads.H * s->heads.D,
                         .scale = s->heads.scale};
}

/* Tokens that query r sees. */
static size_t seen(const struct head *h, size_t r) { return r * h->step + 1; }

/* Tokens that a tile of queries from r on may see: those that its last query sees. */
static size_t seen_by_tile(const struct head *h, size_t r) {
    return smaller(seen(h, r + TILE_ROWS - 1), h->T);
}

size_t attention_row_start(size_t r, size_t step) { return r + step * (r * (r - 1) / 2); }

size_t attention_triangle(size_t T, size_t step) {
    return attention_row_start((T + step - 1) / step, step);
}

/* The larger of the two: three copies as rows, one as columns, two squares. */
size_t attention_scratch(size_t T, size_t D) {
    const size_t rows = tile_rows(T), wide = row_floats(T);
    return 3 * rows * tile_columns(D) + D * wide + 2 * rows * wide;
}

/* out [n rounded up to a tile, deep] = x, whose rows are `ld` apart; zeros after them. */
static void copy_rows(float *restrict out, const float *restrict x, size_t n, size_t ld,
                      const struct head *h) {
    for (size_t i = 0; i < n; i++) {
        for (size_t d = 0; d < h->D; d++) out[i * h->deep + d] = x[i * ld + d];
        for (size_t d = h->D; d < h->deep; d++) out[i * h->deep + d] = 0.0f;
    }
    memset(out + n * h->deep, 0, (tile_rows(n) - n) * h->deep * sizeof *out);
}

/* out [D, wide]: column t is row t of x; zeros after the last. It takes a few rows at a time: since
 * `ld` is large, more rows would evict each other from the cache. */
static void copy_columns(float *restrict out, const float *restrict x, size_t ld,
                         const struct head *h) {
    for (size_t t0 = 0; t0 < h->T; t0 += TILE_COLUMNS) {
        const size_t n = smaller(TILE_COLUMNS, h->T - t0);
        for (size_t d = 0; d < h->D; d++) {
            float *to = out + d * h->wide + t0;
            for (size_t t = 0; t < n; t++) to[t] = x[(t0 + t) * ld + d];
            for (size_t t = n; t < TILE_COLUMNS; t++) to[t] = 0.0f;
        }
    }
}

/* out [4, n] = scale a [4, D] b [D, n], rows of out `wide` apart, whole tiles of it. */
static void score(float *restrict out, float scale, const float *restrict a,
                  const float *restrict b, size_t n, const struct head *h) {
    for (size_t j = 0; j < n; j += TILE_COLUMNS) {
        struct tile t = tile_product(a, h->deep, 1, b + j, h->wide, h->D);
        tile_scale(&t, scale);
        tile_store(out + j, h->wide, &t);
    }
}

/* out [rows, D], ld apart, = sum over k < K of a[., k] b[k, .], b's rows `deep` apart. */
static void combine(float *restrict out, size_t ld, size_t rows, const float *restrict a,
                    size_t row, size_t step, const float *restrict b, size_t K,
                    const struct head *h) {
    for (size_t d = 0; d < h->D; d += TILE_COLUMNS) {
        const struct tile t = tile_product(a, row, step, b + d, h->deep, K);
        if (rows >= TILE_ROWS && h->D - d >= TILE_COLUMNS)
            tile_store(out + d, ld, &t);
        else
            tile_store_part(out + d, ld, &t, rows, h->D - d);
    }
}

/* The q, k and v of a head: those of the prompt's first token. */
struct head_vectors {
    const float *q, *k, *v;
};

static void head_forward(float *restrict z, float *restrict att, float *restrict scratch,
                         struct head_vectors from, const struct head *h) {
    float *q = scratch, *v = q + tile_rows(h->R) * h->deep, *k = v + tile_rows(h->T) * h->deep;
    float *p = k + h->D * h->wide; /* [4, wide] */
    copy_rows(q, from.q, h->R, h->step * h->row, h);
    copy_columns(k, from.k, h->row, h);
    copy_rows(v, from.v, h->T, h->row, h);
    for (size_t r = 0; r < h->R; r += TILE_ROWS) {
        const size_t rows = smaller(TILE_ROWS, h->R - r), n = seen_by_tile(h, r);
        score(p, h->scale, q + r * h->deep, k, n, h);
        for (size_t i = 0; i < rows; i++) {
            softmax_row(p + i * h->wide, seen(h, r + i), tile_columns(n));
            if (!att) continue;
            memcpy(att, p + i * h->wide, seen(h, r + i) * sizeof *att);
            att += seen(h, r + i);
        }
        combine(z + r * h->width, h->width, rows, p, h->wide, 1, v, n, h);
    }
}

static struct head_vectors vectors_at(const float *qkv, const struct head_layout *l, size_t h) {
    return (struct head_vectors){qkv + head_layout_q(l, h), qkv + head_layout_k(l, h),
                                 qkv + head_layout_v(l, h)};
}

void attention_forward(float *restrict z, float *restrict att, float *restrict scratch,
                       const float *restrict qkv, const struct attention_shape *s) {
    const struct head_layout *l = &s->heads;
    const size_t triangle = attention_triangle(s->T, s->step);
    const struct head head = head_of(s);
    for (size_t bh = 0; bh < s->B * l->H; bh++) {
        const size_t b = bh / l->H, h = bh % l->H;
        head_forward(z + b * head.R * head.width + h * l->D, att ? att + bh * triangle : NULL,
                     scratch, vectors_at(qkv + b * s->T * l->row, l, h), &head);
    }
}

/* ---- backward */

struct head_scratch {
    float *q, *k, *dz; /* [R or T, deep] */
    float *v;          /* [D, wide] */
    float *p, *ds;     /* [R, wide] probabilities; gradient of the scores, times scale */
};

static struct head_scratch divide(float *scratch, const struct head *h) {
    const size_t rows = tile_rows(h->T);
    struct head_scratch s = {.q = scratch};
    s.k = s.q + rows * h->deep;
    s.dz = s.k + rows * h->deep;
    s.v = s.dz + rows * h->deep;
    s.p = s.v + h->D * h->wide;
    s.ds = s.p + rows * h->wide;
    return s;
}

/* Queries r .. r+3: their rows of p and ds, zero beyond the tokens that they see, and dq. */
static void queries_backward(float *restrict dq, const struct head_scratch *s, const float *att,
                             size_t r, const struct head *h) {
    const size_t rows = smaller(TILE_ROWS, h->R - r), n = seen_by_tile(h, r);
    const size_t room = tile_columns(n);
    float *p = s->p + r * h->wide, *ds = s->ds + r * h->wide;
    score(ds, 1.0f, s->dz + r * h->deep, s->v, n, h);
    for (size_t i = 0; i < rows; i++) {
        const size_t m = seen(h, r + i);
        float *pi = p + i * h->wide;
        memcpy(pi, att + attention_row_start(r + i, h->step), m * sizeof *pi);
        memset(pi + m, 0, (room - m) * sizeof *pi);
        softmax_row_backward(ds + i * h->wide, pi, h->scale, m, room);
    }
    combine(dq + r * h->step * h->row, h->step * h->row, rows, ds, h->wide, 1, s->k, n, h);
}

/* Where the gradients of a head go. Heads of a group share k and v: all but the first of them add.
 */
struct head_gradients {
    float *q, *k, *v;
    bool adds;
};

/* The sum of combine(), added to rows of qkv. */
static void add_combined(float *restrict out, size_t rows, const float *restrict a,
                         const float *restrict b, size_t K, const struct head *h) {
    for (size_t d = 0; d < h->D; d += TILE_COLUMNS) {
        const struct tile t = tile_product(a, 1, h->wide, b + d, h->deep, K);
        tile_add_part(out + d, h->row, &t, rows, h->D - d);
    }
}

/* Keys and values j .. j+3, from the queries at token j and later. */
static void keys_backward(const struct head_gradients *to, const struct head_scratch *s, size_t j,
                          const struct head *h) {
    const size_t rows = smaller(TILE_ROWS, h->T - j), r = (j + h->step - 1) / h->step;
    const size_t from = r * h->wide + j, K = h->R > r ? h->R - r : 0, at = j * h->row;
    if (!to->adds) {
        combine(to->k + at, h->row, rows, s->ds + from, 1, h->wide, s->q + r * h->deep, K, h);
        combine(to->v + at, h->row, rows, s->p + from, 1, h->wide, s->dz + r * h->deep, K, h);
        return;
    }
    add_combined(to->k + at, rows, s->ds + from, s->q + r * h->deep, K, h);
    add_combined(to->v + at, rows, s->p + from, s->dz + r * h->deep, K, h);
}

static void head_backward(const struct head_gradients *to, float *restrict scratch,
                          const float *restrict dz, const float *restrict att,
                          struct head_vectors from, const struct head *h) {
    const struct head_scratch s = divide(scratch, h);
    copy_rows(s.q, from.q, h->R, h->step * h->row, h);
    copy_rows(s.k, from.k, h->T, h->row, h);
    copy_columns(s.v, from.v, h->row, h);
    copy_rows(s.dz, dz, h->R, h->width, h);
    for (size_t t = 0; t < h->T; t++)
        if (t % h->step) memset(to->q + t * h->row, 0, h->D * sizeof *to->q);
    for (size_t r = 0; r < h->R; r += TILE_ROWS) queries_backward(to->q, &s, att, r, h);
    for (size_t j = 0; j < h->T; j += TILE_ROWS) keys_backward(to, &s, j, h);
}

static struct head_gradients gradients_at(float *dqkv, const struct head_layout *l, size_t h) {
    return (struct head_gradients){dqkv + head_layout_q(l, h), dqkv + head_layout_k(l, h),
                                   dqkv + head_layout_v(l, h), h % (l->H / l->KV) != 0};
}

void attention_backward(float *restrict dqkv, float *restrict scratch, const float *restrict dz,
                        const float *restrict att, const float *restrict qkv,
                        const struct attention_shape *s) {
    const struct head_layout *l = &s->heads;
    const size_t triangle = attention_triangle(s->T, s->step);
    const struct head head = head_of(s);
    for (size_t bh = 0; bh < s->B * l->H; bh++) {
        const size_t b = bh / l->H, h = bh % l->H, at = b * s->T * l->row;
        const struct head_gradients to = gradients_at(dqkv + at, l, h);
        head_backward(&to, scratch, dz + b * head.R * head.width + h * l->D, att + bh * triangle,
                      vectors_at(qkv + at, l, h), &head);
    }
}
