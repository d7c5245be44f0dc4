/* Losses over a vocabulary of several tiles against the double-precision twin. */
#include "model/vocabulary.h"

#include <math.h>

#include "model/tiny.h"
#include "ops/blas.h"
#include "ops/half_lanes.h"
#include "twins/embed_twin.h"

/* Two whole tiles and a part; targets in each, at both ends. */
enum { R = 5, E = 4, V = 2 * VOCABULARY_TILE + 77 };
static const uint32_t TARGET[R] = {0, V - 1, VOCABULARY_TILE, VOCABULARY_TILE - 1, 3000};
static const double WEIGHT = 0.3;

static struct err err;

static const struct model_dims TIED = {.L = 1,
                                       .H = 2,
                                       .E = E,
                                       .vocabulary = V,
                                       .positions = 4,
                                       .epsilon = 1e-5f,
                                       .family = &family_llama,
                                       .rotary = {.dims = 2, .base = 100},
                                       .activation = ACTIVATION_SILU,
                                       .tied = true};

/* An output matrix of its own, with a bias. */
static struct model_dims biased(void) {
    struct model_dims d = TIED;
    d.family = &family_gptj;
    d.parallel = true;
    d.tied = false;
    return d;
}

struct scene {
    struct params p;
    struct model_twin twin;
    struct pair x; /* [R, E] */
    struct vocabulary s;
    double *logits; /* [R, V] of the twin */
};

static struct scene scene_new(const struct model_dims *d) {
    struct scene s = {.p = tiny_params(d), .x = pair_normals(R * E, 1, 2.0)};
    s.twin = model_twin_create(&s.p);
    s.logits = calloc(R * V, sizeof *s.logits);
    assert_non_null(s.logits);
    SUCCEEDS(vocabulary_create(&s.s, d, R, true, &err));
    return s;
}

static void scene_free(struct scene *s) {
    vocabulary_destroy(&s->s);
    vocabulary_destroy(&s->s);
    model_twin_destroy(&s->twin);
    params_destroy(&s->p);
    pair_free(&s->x);
    free(s->logits);
}

static double twin_log_prob(const double *logits, uint32_t target) {
    double sum = 0;
    for (size_t v = 0; v < V; v++) sum += exp(logits[v]);
    return logits[target] - log(sum);
}

static double twin_loss(void *context) {
    struct scene *s = context;
    double sum = 0;
    unembed_twin(s->logits, &s->twin, s->x.d, R);
    for (size_t r = 0; r < R; r++) sum -= WEIGHT * twin_log_prob(s->logits + r * V, TARGET[r]);
    return sum;
}

static void compare_values(struct scene *s) {
    double log_prob[R];
    float dx[R * E];
    static const struct params frozen;
    const double loss =
        vocabulary_cross_entropy(dx, &frozen, &s->s, &s->p, s->x.f, TARGET, WEIGHT, R);
    CLOSE(fabs(loss - twin_loss(s)), 2e-5);
    vocabulary_log_prob(log_prob, &s->s, &s->p, s->x.f, TARGET, R);
    for (size_t r = 0; r < R; r++) {
        const double *logits = s->logits + r * V;
        for (size_t t = 0; t < V; t++) assert_true(logits[t] <= logits[vocabulary_best(&s->s, r)]);
    }
    for (size_t r = 0; r < R; r++)
        CLOSE(fabs(log_prob[r] - twin_log_prob(s->logits + r * V, TARGET[r])), 1e-5);
}

static void compare_chosen(struct scene *s) {
    const uint32_t ids[4] = {V - 1, 7, 7, 2500};
    float got[R * 4], rows[4 * E];
    double want[R * 4];
    vocabulary_logits_of(got, &s->s, &s->p, s->x.f, ids, 4, rows, R);
    unembed_twin(s->logits, &s->twin, s->x.d, R);
    for (size_t i = 0; i < R * 4; i++) want[i] = s->logits[i / 4 * V + ids[i % 4]];
    CLOSE(twin_error(got, want, R * 4), 1e-5);
}

static void values_equal_the_twin(void **state) {
    (void)state;
    const struct model_dims own = biased(), *const models[] = {&TIED, &own};
    for (size_t i = 0; i < 2; i++) {
        struct scene s = scene_new(models[i]);
        compare_values(&s);
        compare_chosen(&s);
        scene_free(&s);
    }
}

/* Central differences at some places of a tensor of n numbers; `places` of them. */
static void compare(const float *got, double *at, size_t n, size_t places, struct scene *s) {
    float some[64];
    double want[64];
    assert_true(places <= 64);
    for (size_t i = 0; i < places; i++) {
        const size_t j = i * (n - 1) / (places > 1 ? places - 1 : 1);
        some[i] = got[j];
        want[i] = twin_slope(twin_loss, s, at + j);
    }
    CLOSE(relative_error(some, want, places), 1e-4);
}

static void gradients_equal_central_differences(void **state) {
    (void)state;
    const struct model_dims own = biased(), *const models[] = {&TIED, &own};
    for (size_t i = 0; i < 2; i++) {
        struct scene s = scene_new(models[i]);
        struct params g;
        float dx[R * E];
        SUCCEEDS(params_create(&g, models[i], &err));
        (void)vocabulary_cross_entropy(dx, &g, &s.s, &s.p, s.x.f, TARGET, WEIGHT, R);
        compare(dx, s.x.d, R * E, R * E, &s);
        compare(g.ln_f_w, s.twin.ln_f_w, E, E, &s);
        if (g.ln_f_b) compare(g.ln_f_b, s.twin.ln_f_b, E, E, &s);
        if (g.wte.f32 && models[i]->tied) compare(g.wte.f32, s.twin.wte, V * E, 40, &s);
        if (g.head_w.f32) compare(g.head_w.f32, s.twin.head_w, V * E, 40, &s);
        if (g.head_b) compare(g.head_b, s.twin.head_b, V, 40, &s);
        params_destroy(&g);
        scene_free(&s);
    }
}

/* One row at a time with its own weight. */
static void a_weight_for_each_row(void **state) {
    (void)state;
    const double weight[R] = {0.5, 0, 2, 1, 0.25};
    struct scene s = scene_new(&TIED);
    static const struct params frozen;
    double log_prob[R];
    float got[R * E], want[R * E];
    for (size_t r = 0; r < R; r++)
        (void)vocabulary_cross_entropy(want + r * E, &frozen, &s.s, &s.p, s.x.f + r * E, TARGET + r,
                                       weight[r], 1);
    vocabulary_log_prob(log_prob, &s.s, &s.p, s.x.f, TARGET, R);
    vocabulary_weighted_gradient(got, &s.s, &s.p, s.x.f, TARGET, weight, R);
    for (size_t i = 0; i < R * E; i++)
        CLOSE(fabs((double)got[i] - (double)want[i]), 1e-6 * (1 + fabs((double)want[i])));
    scene_free(&s);
}

/* ---- divergence */

static const double SHARES[R] = {0.5, 0, 2, 1, 0.25};

struct taught {
    struct scene s;
    struct pair from; /* [R, E] the rows of the teacher */
    double *logits;   /* [R, V] */
};

static double log_sum(const double *logits) {
    double sum = 0;
    for (size_t v = 0; v < V; v++) sum += exp(logits[v]);
    return log(sum);
}

static double twin_divergence(void *context) {
    struct taught *t = context;
    double sum = 0;
    unembed_twin(t->s.logits, &t->s.twin, t->s.x.d, R);
    for (size_t r = 0; r < R; r++) {
        const double *p = t->logits + r * V, *q = t->s.logits + r * V;
        const double all_p = log_sum(p), all_q = log_sum(q);
        for (size_t v = 0; v < V; v++)
            sum += SHARES[r] * exp(p[v] - all_p) * (p[v] - all_p - q[v] + all_q);
    }
    return sum;
}

static void compare_divergence(const struct model_dims *d, double apart) {
    struct taught t = {.s = scene_new(d), .from = pair_normals(R * E, 9, apart)};
    struct vocabulary teacher;
    float dx[R * E];
    t.logits = calloc(R * V, sizeof *t.logits);
    assert_non_null(t.logits);
    SUCCEEDS(vocabulary_create(&teacher, d, R, false, &err));
    for (size_t i = 0; i < R * E; i++) t.from.f[i] += t.s.x.f[i], t.from.d[i] = (double)t.from.f[i];
    unembed_twin(t.logits, &t.s.twin, t.from.d, R);
    const double sum =
        vocabulary_divergence(dx, &t.s.s, &teacher, &t.s.p, t.s.x.f, t.from.f, SHARES, R);
    const double want = twin_divergence(&t);
    assert_true(want > 0);
    CLOSE(fabs(sum - want), 2e-6 + 1e-4 * want);
    assert_true(
        vocabulary_divergence(NULL, &t.s.s, &teacher, &t.s.p, t.s.x.f, t.from.f, SHARES, R) == sum);
    double slopes[R * E];
    for (size_t i = 0; i < R * E; i++) slopes[i] = twin_slope(twin_divergence, &t, t.s.x.d + i);
    CLOSE(relative_error(dx, slopes, R * E), 1e-3);
    for (size_t i = E; i < 2 * E; i++) assert_true(dx[i] == 0); /* a row without weight */
    vocabulary_destroy(&teacher);
    free(t.logits);
    pair_free(&t.from);
    scene_free(&t.s);
}

static void divergences_equal_the_twin(void **state) {
    (void)state;
    const struct model_dims own = biased();
    compare_divergence(&TIED, 2.0);
    compare_divergence(&TIED, 0.05);
    compare_divergence(&own, 1.0);
}

static void ranks_count_larger_logits(void **state) {
    (void)state;
    struct scene s = scene_new(&TIED);
    double log_prob[R];
    uint32_t rank[R], best[R], again[R];
    vocabulary_log_prob(log_prob, &s.s, &s.p, s.x.f, TARGET, R);
    vocabulary_rank(rank, &s.s, &s.p, R);
    unembed_twin(s.logits, &s.twin, s.x.d, R);
    for (size_t r = 0; r < R; r++) {
        const double *row = s.logits + r * V;
        uint32_t larger = 0;
        best[r] = 0;
        for (uint32_t v = 0; v < V; v++) {
            larger += row[v] > row[TARGET[r]];
            if (row[v] > row[best[r]]) best[r] = v;
        }
        assert_int_equal(rank[r], larger);
    }
    vocabulary_log_prob(log_prob, &s.s, &s.p, s.x.f, best, R);
    vocabulary_rank(again, &s.s, &s.p, R);
    for (size_t r = 0; r < R; r++) assert_int_equal(again[r], 0);
    scene_free(&s);
}

/* The same matrix in halves, which are widened: the same bits. */
static void halves_have_the_bits_of_floats(void **state) {
    (void)state;
    struct scene s = scene_new(&TIED);
    uint16_t *halves = calloc(V * E, sizeof *halves);
    double floats[R], narrow[R];
    assert_non_null(halves);
    for (size_t i = 0; i < V * E; i++) {
        halves[i] = half_lanes_narrow_one(s.p.wte.f32[i]);
        s.p.wte.f32[i] = half_lanes_widen_one(halves[i]);
    }
    vocabulary_log_prob(floats, &s.s, &s.p, s.x.f, TARGET, R);
    for (size_t i = 0; i < params_tensors(&TIED); i++) {
        struct param_info t;
        params_at(&t, &s.p, i);
        if (t.data == s.p.wte.f32) SUCCEEDS(params_place_narrow(&s.p, i, halves, WEIGHT_F16, &err));
    }
    assert_null(s.p.wte.f32);
    vocabulary_log_prob(narrow, &s.s, &s.p, s.x.f, TARGET, R);
    assert_memory_equal(floats, narrow, sizeof floats);
    free(halves);
    scene_free(&s);
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_equal_the_twin),
        cmocka_unit_test(gradients_equal_central_differences),
        cmocka_unit_test(a_weight_for_each_row),
        cmocka_unit_test(divergences_equal_the_twin),
        cmocka_unit_test(ranks_count_larger_logits),
        cmocka_unit_test(halves_have_the_bits_of_floats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
