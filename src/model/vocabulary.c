#include "model/vocabulary.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "ops/blas.h"
#include "ops/vmath.h"

/* ---- storage */

static void vocabulary_lay_out(struct vocabulary *s, struct arena *a, bool for_backward) {
    const size_t R = s->capacity;
    unembed_lay_out(&s->last, a, &s->dims, R, for_backward);
    s->tile = arena_floats(a, R * VOCABULARY_TILE);
    s->level = arena_floats(a, R);
    s->own = arena_floats(a, R);
    s->best = (uint32_t *)(void *)arena_floats(a, R);
    s->sum = (double *)(void *)arena_floats(a, R * sizeof(double) / sizeof(float));
}

size_t vocabulary_bytes(const struct model_dims *dims, size_t capacity, bool for_backward) {
    struct vocabulary s = {.dims = *dims, .capacity = capacity};
    struct arena a = {0};
    vocabulary_lay_out(&s, &a, for_backward);
    return a.used;
}

enum err_code vocabulary_create(struct vocabulary *s, const struct model_dims *dims,
                                size_t capacity, bool for_backward, struct err *err) {
    struct vocabulary made = {.dims = *dims, .capacity = capacity};
    assert(dims->vocabulary > 0);
    vocabulary_lay_out(&made, &made.memory, for_backward);
    const enum err_code rc = arena_commit(&made.memory, err);
    if (rc != ERR_OK) return rc;
    vocabulary_lay_out(&made, &made.memory, for_backward);
    *s = made;
    return ERR_OK;
}

void vocabulary_destroy(struct vocabulary *s) {
    arena_release(&s->memory);
    *s = (struct vocabulary){0};
}

/* ---- tiles of logits */

/* Tokens [first, first + n). */
struct tokens {
    size_t first, n;
    struct weight_map map; /* of these tokens */
};

static struct tokens tokens_from(size_t first, const struct params *p) {
    const struct weight_map all = unembed_map(p);
    const size_t rest = all.O - first, n = rest < VOCABULARY_TILE ? rest : VOCABULARY_TILE;
    return (struct tokens){first, n, weight_map_part(&all, first, n)};
}

static void make_logits(struct vocabulary *s, const struct tokens *t, size_t R) {
    weight_forward(s->tile, t->n, s->last.norm, &t->map, R);
}

static float largest(const float *x, size_t n, float level) {
    for (size_t i = 0; i < n; i++) level = x[i] > level ? x[i] : level;
    return level;
}

static size_t place_of(const float *x, size_t n, float value) {
    size_t i = 0;
    while (i + 1 < n && x[i] != value) i++;
    return i;
}

/* sum of exp(x[i] - level) */
static double sum_of_exp(const float *x, size_t n, float level) {
    lanes sum = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) sum += vmath_exp(lanes_load(x + i) - level);
    if (i < n) sum += lanes_keep(vmath_exp(lanes_load_tail(x + i, n - i) - level), n - i);
    return (double)lanes_sum(sum);
}

/* Adds a tile to the sums of all rows: Milakov and Gimelshein, arXiv:1805.02867, algorithm 3. */
static void add_tile(struct vocabulary *s, const struct tokens *t, const uint32_t *target,
                     size_t R) {
    for (size_t r = 0; r < R; r++) {
        const float *row = s->tile + r * t->n, level = largest(row, t->n, s->level[r]);
        if (level > s->level[r]) s->best[r] = (uint32_t)(t->first + place_of(row, t->n, level));
        s->sum[r] *= exp((double)s->level[r] - (double)level);
        s->sum[r] += sum_of_exp(row, t->n, level);
        s->level[r] = level;
        if (target && target[r] >= t->first && target[r] - t->first < t->n)
            s->own[r] = row[target[r] - t->first];
    }
}

/* One pass over all tokens: level, sum and own. target NULL: no own. */
static void sum_tiles(struct vocabulary *s, const struct params *p, const float *x,
                      const uint32_t *target, size_t R) {
    assert(R <= s->capacity);
    unembed_norm(&s->last, p, x, R);
    for (size_t r = 0; r < R; r++) {
        s->level[r] = -INFINITY, s->sum[r] = 0;
        s->own[r] = NAN, s->best[r] = 0;
    }
    for (size_t first = 0; first < s->dims.vocabulary; first += VOCABULARY_TILE) {
        const struct tokens t = tokens_from(first, p);
        make_logits(s, &t, R);
        add_tile(s, &t, target, R);
    }
}

static double row_log_prob(const struct vocabulary *s, size_t r) {
    return (double)s->own[r] - (double)s->level[r] - log(s->sum[r]);
}

void vocabulary_log_prob(double *log_prob, struct vocabulary *s, const struct params *p,
                         const float *x, const uint32_t *target, size_t R) {
    sum_tiles(s, p, x, target, R);
    for (size_t r = 0; r < R; r++) log_prob[r] = row_log_prob(s, r);
}

bool vocabulary_is_correct(const struct vocabulary *s, size_t r) {
    return s->own[r] >= s->level[r];
}

uint32_t vocabulary_best(const struct vocabulary *s, size_t r) { return s->best[r]; }

/* ---- gradient */

/* x becomes weight * exp(x - level). */
static void weigh_exp(float *x, size_t n, float level, float weight) {
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        lanes_store(x + i, weight * vmath_exp(lanes_load(x + i) - level));
    lanes_store_tail(x + i, weight * vmath_exp(lanes_load_tail(x + i, n - i) - level), n - i);
}

/* The weight of row r is weight[r * stride]. */
struct row_weights {
    const double *weight;
    size_t stride;
};

/* The logits of a tile become the gradient of the loss. */
static void differentiate(struct vocabulary *s, const struct tokens *t, const uint32_t *target,
                          struct row_weights w, size_t R) {
    for (size_t r = 0; r < R; r++) {
        const double weight = w.weight[r * w.stride];
        float *row = s->tile + r * t->n;
        weigh_exp(row, t->n, s->level[r], (float)(weight / s->sum[r]));
        if (target[r] >= t->first && target[r] - t->first < t->n)
            row[target[r] - t->first] -= (float)weight;
    }
}

/* The logits are made a second time, since the sums must be complete before any gradient. */
static void tile_backward(struct vocabulary *s, const struct params *g, const struct params *p,
                          const uint32_t *target, struct row_weights weights, size_t first,
                          size_t R) {
    const struct tokens t = tokens_from(first, p);
    float *dW = unembed_weight_gradient(g, &s->dims), *db = unembed_bias_gradient(g, &s->dims);
    make_logits(s, &t, R);
    differentiate(s, &t, target, weights, R);
    weight_backward(s->last.dnorm, first == 0 ? 0.0f : 1.0f, s->tile, t.n, &t.map, R);
    weight_gradient(dW ? dW + first * s->dims.E : NULL, db ? db + first : NULL, s->tile, t.n,
                    s->last.norm, &t.map, R);
}

/* After sum_tiles() of the same rows. */
static void answers_backward(float *dx, const struct params *g, struct vocabulary *s,
                             const struct params *p, const float *x, const uint32_t *target,
                             struct row_weights weights, size_t R) {
    assert(s->last.dnorm);
    for (size_t first = 0; first < s->dims.vocabulary; first += VOCABULARY_TILE)
        tile_backward(s, g, p, target, weights, first, R);
    unembed_norm_backward(dx, g, &s->last, p, x, R);
}

double vocabulary_cross_entropy(float *dx, const struct params *g, struct vocabulary *s,
                                const struct params *p, const float *x, const uint32_t *target,
                                double weight, size_t R) {
    double sum = 0;
    sum_tiles(s, p, x, target, R);
    for (size_t r = 0; r < R; r++) sum += row_log_prob(s, r);
    answers_backward(dx, g, s, p, x, target, (struct row_weights){&weight, 0}, R);
    return -weight * sum;
}

void vocabulary_weighted_gradient(float *dx, struct vocabulary *s, const struct params *p,
                                  const float *x, const uint32_t *target, const double *weight,
                                  size_t R) {
    static const struct params frozen;
    answers_backward(dx, &frozen, s, p, x, target, (struct row_weights){weight, 1}, R);
}

/* ---- divergence */

/* Of row r, which becomes the gradient of weight * KL; the KL of these tokens. Each term has the
 * factor log p - log q, which is small where both agree, so no large numbers cancel. */
static double row_divergence(struct vocabulary *s, const struct vocabulary *teacher, size_t r,
                             size_t n, double weight) {
    float *q = s->tile + r * n;
    const float *p = teacher->tile + r * n;
    const double log_p = (double)teacher->level[r] + log(teacher->sum[r]);
    const double log_q = (double)s->level[r] + log(s->sum[r]);
    const lanes to_p = lanes_all((float)log_p), to_q = lanes_all((float)log_q);
    const lanes apart = lanes_all((float)(log_q - log_p)), w = lanes_all((float)weight);
    lanes sum = {0};
    for (size_t i = 0; i < n; i += LANES) {
        const size_t left = n - i < LANES ? n - i : LANES;
        const lanes a = lanes_load_tail(p + i, left), b = lanes_load_tail(q + i, left);
        const lanes pa = vmath_exp(a - to_p);
        sum += lanes_keep(pa * (a - b + apart), left);
        lanes_store_tail(q + i, w * (vmath_exp(b - to_q) - pa), left);
    }
    return weight * (double)lanes_sum(sum);
}

double vocabulary_divergence(float *dx, struct vocabulary *s, struct vocabulary *teacher,
                             const struct params *p, const float *x, const float *from,
                             const double *weight, size_t R) {
    static const struct params frozen;
    double sum = 0;
    sum_tiles(teacher, p, from, NULL, R);
    sum_tiles(s, p, x, NULL, R);
    for (size_t first = 0; first < s->dims.vocabulary; first += VOCABULARY_TILE) {
        const struct tokens t = tokens_from(first, p);
        make_logits(teacher, &t, R);
        make_logits(s, &t, R);
        for (size_t r = 0; r < R; r++) sum += row_divergence(s, teacher, r, t.n, weight[r]);
        if (dx) weight_backward(s->last.dnorm, first == 0 ? 0.0f : 1.0f, s->tile, t.n, &t.map, R);
    }
    if (dx) unembed_norm_backward(dx, &frozen, &s->last, p, x, R);
    return sum;
}

/* ---- ranks */

static uint32_t count_larger(const float *x, size_t n, float own) {
    uint32_t larger = 0;
    for (size_t i = 0; i < n; i++) larger += x[i] > own;
    return larger;
}

void vocabulary_rank(uint32_t *rank, struct vocabulary *s, const struct params *p, size_t R) {
    memset(rank, 0, R * sizeof *rank);
    for (size_t first = 0; first < s->dims.vocabulary; first += VOCABULARY_TILE) {
        const struct tokens t = tokens_from(first, p);
        make_logits(s, &t, R);
        for (size_t r = 0; r < R; r++) rank[r] += count_larger(s->tile + r * t.n, t.n, s->own[r]);
    }
}

/* ---- chosen tokens */

void vocabulary_logits_of(float *out, struct vocabulary *s, const struct params *p, const float *x,
                          const uint32_t *ids, size_t n, float *rows, size_t R) {
    const struct weight_map all = unembed_map(p);
    const size_t E = s->dims.E;
    assert(R <= s->capacity);
    unembed_norm(&s->last, p, x, R);
    for (size_t i = 0; i < n; i++) weight_widen(rows + i * E, &all.W, ids[i] * E, 1, E, E);
    blas_gemm(out, s->last.norm, rows, BLAS_N, BLAS_T, 1.0f, 0.0f, R, n, E, E, E, n);
    for (size_t r = 0; all.b && r < R; r++)
        for (size_t i = 0; i < n; i++) out[r * n + i] += all.b[ids[i]];
}

void vocabulary_logit_gradient(float *dx, struct vocabulary *s, const struct params *p,
                               const float *x, const uint32_t *target, size_t R) {
    static const struct params frozen; /* members NULL: no weight gradient is wanted */
    const struct weight_map all = unembed_map(p);
    const size_t E = s->dims.E;
    assert(R <= s->capacity && s->last.dnorm);
    unembed_norm(&s->last, p, x, R);
    for (size_t r = 0; r < R; r++)
        weight_widen(s->last.dnorm + r * E, &all.W, target[r] * E, 1, E, E);
    unembed_norm_backward(dx, &frozen, &s->last, p, x, R);
}
