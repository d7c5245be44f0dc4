#include "passes/curve.h"

#include <stdlib.h>

#include "activations/basis_collector.h"
#include "methods/icv.h"
#include "methods/ltv.h"
#include "model/tiny.h"
#include "ops/blas.h"

/* The curve against the full forward pass in double, for every k, with vectors and through windows:
 * once in a single block of lengths, once in several blocks, with more prompts than one block
 * holds.
 */

enum { E = 8, L = 2, MOST_POINTS = 40 };

static struct err err;

struct sizes {
    size_t n, points, T0, chunk;
};

static const struct sizes SMALL = {3, 6, 4, 2}, LARGE = {21, MOST_POINTS, 35, 20};

static const struct model_dims DIMS = {
    .L = L, .H = 2, .E = E, .inputs = 3, .positions = 2 * MOST_POINTS, .epsilon = 1e-5f};

struct trial {
    struct sizes z;
    struct params p;
    struct model_twin twin;
    struct pair x, y, w;
    struct pair query, shown; /* read only where prompts say so */
    struct prompt_view prompts;
    struct basis_set basis;
    struct method_setup setup;
    struct dummy_pairs dummies; /* n 0: none */
    float *got;                 /* [n, points] */
};

static void trial_init(struct trial *t, const struct sizes *z, const char *method, int variant) {
    *t = (struct trial){.z = *z, .p = tiny_params(&DIMS)};
    t->twin = model_twin_create(&t->p);
    t->x = pair_normals(z->n * z->points * 3, 31, 1.0);
    t->y = pair_normals(z->n * z->points, 32, 1.0);
    t->w = pair_normals(L * E, 33, 0.5);
    t->query = pair_normals(z->n * z->points * 3, 34, 1.0);
    t->shown = pair_normals(z->n * z->points * z->points, 35, 1.0);
    t->prompts =
        (struct prompt_view){.n = z->n, .points = z->points, .dims = 3, .x = t->x.f, .y = t->y.f};
    method_setup_named(&t->setup, method, &t->p);
    t->setup.variant = variant;
    t->got = calloc(z->n * z->points, sizeof *t->got);
    assert_non_null(t->got);
}

static void trial_free(struct trial *t) {
    free(t->got);
    basis_set_destroy(&t->basis);
    model_twin_destroy(&t->twin);
    params_destroy(&t->p);
    pair_free(&t->x), pair_free(&t->y), pair_free(&t->w);
    pair_free(&t->query), pair_free(&t->shown);
}

/* Points first .. k of prompt i, without the last y. */
static double predict_twin(struct trial *t, size_t i, size_t first, size_t k,
                           const struct twin_edit *edits, size_t n_edits) {
    const size_t points = t->z.points;
    double tokens[2 * MOST_POINTS * 3] = {0};
    for (size_t j = first; j <= k; j++) {
        const double *x = j == k && t->prompts.query_x ? t->query.d : t->x.d;
        const double *y =
            t->prompts.shown_y ? t->shown.d + (i * points + k) * points : t->y.d + i * points;
        memcpy(tokens + 2 * (j - first) * 3, x + (i * points + j) * 3, 3 * sizeof *tokens);
        if (j < k) tokens[(2 * (j - first) + 1) * 3] = y[j];
    }
    model_twin_run(&t->twin, tokens, 2 * (k - first) + 1, edits, n_edits);
    return t->twin.prediction[2 * (k - first)];
}

static void predict(struct trial *t, size_t trained_points, const float *w) {
    struct curve c;
    const struct curve_options o = {.setup = &t->setup,
                                    .chunk = t->z.chunk,
                                    .points = t->z.points,
                                    .window_points = t->z.T0,
                                    .trained_points = trained_points,
                                    .dummies = t->dummies.n ? &t->dummies : NULL};
    SUCCEEDS(curve_create(&c, &o, &err));
    for (size_t first = 0; first < t->z.n; first += t->z.chunk) {
        const struct prompt_view part = prompt_view_chunk(&t->prompts, first, t->z.chunk);
        const struct basis basis = w ? basis_set_view(&t->basis, first, part.n) : (struct basis){0};
        curve_predict(t->got + first * t->z.points, &c, &part, &basis, w);
    }
    curve_destroy(&c);
    curve_destroy(&c);
}

/* v [L, n, E]: the vectors of all prompts, by the method, which has tests of its own. */
static void check_vectors(struct trial *t, const float *v) {
    for (size_t i = 0; i < t->z.n; i++)
        for (size_t k = 0; k < t->z.points; k++) {
            struct twin_edit edits[L];
            double values[L * E];
            for (size_t l = 0; l < L; l++) {
                for (size_t e = 0; e < E; e++)
                    values[l * E + e] = (double)v[(l * t->z.n + i) * E + e];
                edits[l] = (struct twin_edit){l, 2 * k, 1.0, values + l * E};
            }
            const double want = predict_twin(t, i, 0, k, edits, L);
            CLOSE(twin_error(t->got + i * t->z.points + k, &want, 1), 1e-5);
        }
}

/* The published insertion, in double: pairs of zeros at point int(m t) of t points, from the
 * largest m on. Fills is_dummy [points + n]; tokens as the model reads them. Returns points. */
static size_t insert(double *tokens, bool *is_dummy, const struct trial *t, size_t i, size_t k) {
    size_t source[MOST_POINTS], n = 0; /* which point stands there; MOST_POINTS: a dummy */
    for (size_t j = 0; j <= k; j++) source[n++] = j;
    for (size_t m = t->dummies.n; m-- > 0;) { /* the fractions ascend */
        const size_t at = (size_t)(t->dummies.fraction[m] * (double)(k + 1));
        memmove(source + at + 1, source + at, (n++ - at) * sizeof *source);
        source[at] = MOST_POINTS;
    }
    memset(tokens, 0, 2 * n * 3 * sizeof *tokens);
    for (size_t j = 0; j < n; j++) {
        is_dummy[j] = source[j] == MOST_POINTS;
        if (is_dummy[j]) continue;
        const size_t point = i * t->z.points + source[j];
        memcpy(tokens + 2 * j * 3, t->x.d + point * 3, 3 * sizeof *tokens);
        tokens[(2 * j + 1) * 3] = t->y.d[point];
    }
    return n;
}

static double predict_among_dummies(struct trial *t, size_t i, size_t k, const float *v) {
    double tokens[2 * MOST_POINTS * 3], values[L * E];
    bool is_dummy[MOST_POINTS];
    struct twin_patch patches[L * (DUMMIES_MOST + 1)];
    const size_t n = insert(tokens, is_dummy, t, i, k);
    size_t used = 0;
    for (size_t l = 0; v && l < L; l++) {
        for (size_t e = 0; e < E; e++) values[l * E + e] = (double)v[(l * t->z.n + i) * E + e];
        const struct twin_patch add = {'x', l, 0, 0, E, 1, 1, values + l * E, NULL, NULL};
        patches[used] = add, patches[used++].token = 2 * (n - 1);
        for (size_t j = 0; t->dummies.rule == DUMMIES_CORRECTED && j < n; j++)
            if (is_dummy[j]) patches[used] = add, patches[used++].token = 2 * j;
        for (size_t m = 0; t->dummies.rule == DUMMIES_AS_PUBLISHED && m < t->dummies.n; m++) {
            const int point = (int)(t->dummies.fraction[m] * (double)(k + 1));
            patches[used] = add;
            patches[used++].token = (size_t)(point > 1 ? 2 * (point - 1) : 0);
        }
    }
    t->twin.patches = patches;
    t->twin.n_patches = used;
    model_twin_run(&t->twin, tokens, 2 * n - 1, NULL, 0);
    t->twin.n_patches = 0;
    return t->twin.prediction[2 * (n - 1)];
}

/* Vectors at the query and at dummies, one per prompt; then the plain model with the same dummies.
 */
static void curve_among_dummies(enum dummy_pairs_rule rule, bool plain) {
    struct trial t;
    trial_init(&t, &SMALL, plain ? "plain" : "ltv", 0);
    t.dummies = (struct dummy_pairs){rule, 5, {0.1, 0.25, 0.5, 0.5, 0.9}};
    float v[L * 3 * E], scratch[4 * E];
    SUCCEEDS(basis_set_create(&t.basis, &DIMS, basis_bit(BASIS_HEADS), SMALL.n, &err));
    SUCCEEDS(basis_set_collect(&t.basis, &t.p, &t.prompts, SMALL.T0, 2, &err));
    const struct basis all = basis_set_view(&t.basis, 0, SMALL.n);
    if (!plain) t.setup.method->application.vector(v, t.w.f, &all, &t.setup, scratch);
    predict(&t, SMALL.T0, plain ? NULL : t.w.f);
    for (size_t i = 0; i < SMALL.n; i++)
        for (size_t k = 0; k < SMALL.points; k++) {
            const double want = predict_among_dummies(&t, i, k, plain ? NULL : v);
            CLOSE(twin_error(t.got + i * SMALL.points + k, &want, 1), 1e-5);
        }
    trial_free(&t);
}

static void curves_among_dummies_equal_the_full_forward(void **state) {
    (void)state;
    for (enum dummy_pairs_rule rule = DUMMIES_AS_PUBLISHED; rule <= DUMMIES_CORRECTED; rule++) {
        curve_among_dummies(rule, false);
        curve_among_dummies(rule, true);
    }
}

/* At t = 41 the published code adds at tokens 6, 18, 38, 58, 70, while the x tokens of the dummies
 * are 8, 22, 44, 66, 80; at t = 1 it adds at token 0 five times, and the dummies are adjacent. */
static void places_are_the_published_ones(void **state) {
    (void)state;
    static const uint32_t published[] = {6, 18, 38, 58, 70}, own[] = {8, 22, 44, 66, 80};
    struct dummy_pairs d = {DUMMIES_AS_PUBLISHED, 5, {0.1, 0.25, 0.5, 0.75, 0.9}};
    uint32_t at[5];
    dummy_pairs_places(at, &d, 40);
    assert_memory_equal(at, published, sizeof at);
    dummy_pairs_places(at, &d, 0);
    for (size_t i = 0; i < 5; i++) assert_int_equal(at[i], 0);
    d.rule = DUMMIES_CORRECTED;
    dummy_pairs_places(at, &d, 40);
    assert_memory_equal(at, own, sizeof at);
    dummy_pairs_places(at, &d, 0);
    for (size_t i = 0; i < 5; i++) assert_int_equal(at[i], 2 * i);
}

/* apart: queries that are not points of the prompt, and labels that depend on the length. */
static void curve_of_reading(const struct sizes *z, int reading, bool apart) {
    struct trial t;
    trial_init(&t, z, "ltv", reading);
    float *v = calloc(L * z->n * E, sizeof *v), *scratch = calloc((z->n + 1) * E, sizeof *scratch);
    assert_true(v && scratch);
    SUCCEEDS(basis_set_create(&t.basis, &DIMS, basis_bit(BASIS_HEADS) | basis_bit(BASIS_ATTENTION),
                              z->n, &err));
    SUCCEEDS(basis_set_collect(&t.basis, &t.p, &t.prompts, z->T0, 2, &err));
    const struct basis all = basis_set_view(&t.basis, 0, z->n);
    t.setup.method->application.vector(v, t.w.f, &all, &t.setup, scratch);
    if (apart) t.prompts.query_x = t.query.f;
    predict(&t, z->T0, t.w.f);
    check_vectors(&t, v);
    if (apart) t.prompts.shown_y = t.shown.f;
    predict(&t, z->T0, t.w.f);
    check_vectors(&t, v);
    free(scratch);
    free(v);
    trial_free(&t);
}

static void curves_equal_the_full_forward(void **state) {
    (void)state;
    for (int reading = LTV_HEADS; reading <= LTV_BLOCKS; reading++)
        curve_of_reading(&SMALL, reading, false);
    curve_of_reading(&LARGE, LTV_HEADS, false);
}

static void curves_of_shifted_prompts_equal_the_full_forward(void **state) {
    (void)state;
    curve_of_reading(&SMALL, LTV_HEADS, true);
    curve_of_reading(&LARGE, LTV_REPROJECTED, true);
}

/* Every token of a prompt is edited, and contexts with it. v [L + 1, n, E]. */
static void check_steered(struct trial *t, const float *v, size_t shift) {
    const size_t n = t->z.n;
    t->twin.steers = true;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < t->z.points; k++) {
            struct twin_edit edits[L];
            double values[L * E];
            for (size_t l = 0; l < L; l++) {
                for (size_t e = 0; e < E; e++)
                    values[l * E + e] = (double)v[((l + 1 - shift) * n + i) * E + e];
                edits[l] = (struct twin_edit){l, 0, 1.5, values + l * E};
            }
            const double want = predict_twin(t, i, 0, k, edits, L);
            CLOSE(twin_error(t->got + i * t->z.points + k, &want, 1), 1e-5);
        }
}

static void contexts_run_under_edits_of_every_token(void **state) {
    (void)state;
    for (size_t shift = 0; shift <= 1; shift++) {
        struct trial t;
        float v[(L + 1) * 3 * E];
        trial_init(&t, &SMALL, "icv", 0);
        icv_set_keys(&t.setup, (struct icv_keys){.scale = 1.5, .layer_shift = shift});
        SUCCEEDS(basis_set_create(&t.basis, &DIMS, basis_bit(BASIS_STEP), SMALL.n, &err));
        SUCCEEDS(basis_set_collect(&t.basis, &t.p, &t.prompts, SMALL.T0, 2, &err));
        const struct basis all = basis_set_view(&t.basis, 0, SMALL.n);
        t.setup.method->application.vector(v, t.w.f, &all, &t.setup, NULL);
        predict(&t, SMALL.T0, t.w.f);
        check_steered(&t, v, shift);
        trial_free(&t);
    }
}

static void check_windows(const struct sizes *z, bool apart) {
    struct trial t;
    trial_init(&t, z, "window", 0);
    if (apart) t.prompts.query_x = t.query.f, t.prompts.shown_y = t.shown.f;
    predict(&t, z->T0, NULL);
    for (size_t i = 0; i < z->n; i++)
        for (size_t k = 0; k < z->points; k++) {
            const double want = predict_twin(&t, i, k < z->T0 ? 0 : k - (z->T0 - 1), k, NULL, 0);
            CLOSE(twin_error(t.got + i * z->points + k, &want, 1), 1e-5);
        }
    trial_free(&t);
}

static void windows_equal_shorter_prompts(void **state) {
    (void)state;
    check_windows(&SMALL, false);
    check_windows(&LARGE, false);
    check_windows(&SMALL, true);
}

/* If windows begin within a block, the lengths before them have the bits of plain. */
static void what_reads_the_whole_prompt_has_the_bits_of_plain(void **state) {
    (void)state;
    static const char *const METHODS[] = {"zero", "window", "oracle"};
    static const size_t TRAINED[] = {0, 0, 37}, SAME[] = {MOST_POINTS, 35, 37};
    struct trial plain;
    trial_init(&plain, &LARGE, "plain", 0);
    predict(&plain, 0, NULL);
    for (size_t m = 0; m < 3; m++) {
        struct trial t;
        trial_init(&t, &LARGE, METHODS[m], 0);
        predict(&t, TRAINED[m], NULL);
        for (size_t i = 0; i < LARGE.n; i++) {
            const float *got = t.got + i * MOST_POINTS, *want = plain.got + i * MOST_POINTS;
            assert_memory_equal(got, want, SAME[m] * sizeof *got);
            for (size_t k = SAME[m]; k < MOST_POINTS; k++) assert_true(got[k] != want[k]);
        }
        trial_free(&t);
    }
    trial_free(&plain);
}

static void bases_equal_the_full_forward(void **state) {
    (void)state;
    for (size_t at = 1; at <= SMALL.points; at += SMALL.points - 1) { /* no pairs, and all */
        struct trial t;
        trial_init(&t, &SMALL, "ltv", 0);
        const size_t token = 2 * (at - 1);
        SUCCEEDS(basis_set_create(
            &t.basis, &DIMS, basis_bit(BASIS_HEADS) | basis_bit(BASIS_ATTENTION), SMALL.n, &err));
        SUCCEEDS(basis_set_collect(&t.basis, &t.p, &t.prompts, at, 2, &err));
        for (size_t i = 0; i < SMALL.n; i++) {
            (void)predict_twin(&t, i, 0, at - 1, NULL, 0);
            for (size_t l = 0; l < L; l++) {
                const size_t row = (l * SMALL.n + i) * E, want = (l * DIMS.positions + token) * E;
                CLOSE(twin_error(t.basis.part[BASIS_HEADS] + row, t.twin.z + want, E), 1e-5);
                CLOSE(twin_error(t.basis.part[BASIS_ATTENTION] + row, t.twin.a + want, E), 1e-5);
            }
        }
        trial_free(&t);
    }
}

static size_t batch_bytes(const struct prompt_batch *b) {
    return b->own.memory.size + b->rows.memory.size +
           context_scratch_bytes(&DIMS, b->context.slots, b->context.tokens);
}

static void bytes_are_as_predicted(void **state) {
    (void)state;
    struct params p = tiny_params(&DIMS);
    struct method_setup setup;
    method_setup_named(&setup, "window", &p);
    for (size_t chunk = 1; chunk <= 300; chunk += 299) { /* 300: more than the rows of a pass */
        struct curve c;
        const struct curve_options o = {.setup = &setup,
                                        .chunk = chunk,
                                        .points = MOST_POINTS,
                                        .window_points = 5,
                                        .trained_points = 5};
        SUCCEEDS(curve_create(&c, &o, &err));
        const size_t taken = c.memory.size + batch_bytes(&c.whole) + batch_bytes(&c.window) +
                             c.pass.memory.size + c.pass.query.memory.size;
        assert_in_range(curve_bytes(&DIMS, &o), taken, taken + taken / 10 + 4096);
        curve_destroy(&c);
    }
    params_destroy(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(curves_equal_the_full_forward),
        cmocka_unit_test(curves_of_shifted_prompts_equal_the_full_forward),
        cmocka_unit_test(contexts_run_under_edits_of_every_token),
        cmocka_unit_test(curves_among_dummies_equal_the_full_forward),
        cmocka_unit_test(places_are_the_published_ones),
        cmocka_unit_test(windows_equal_shorter_prompts),
        cmocka_unit_test(what_reads_the_whole_prompt_has_the_bits_of_plain),
        cmocka_unit_test(bases_equal_the_full_forward),
        cmocka_unit_test(bytes_are_as_predicted),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
