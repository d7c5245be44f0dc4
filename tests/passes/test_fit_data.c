/* Loss and gradient of the weights of a fit on prompts of numbers, against the full forward pass in
 * double precision; contexts that an earlier fit left. */
#include "passes/fit_data.h"

#include <math.h>
#include <stdlib.h>

#include "job/context_cache.h"
#include "methods/ltv.h"
#include "model/tiny.h"
#include "ops/blas.h"
#include "passes/fit_size.h"
#include "sources/prompt_batch.h"
#include "sources/shared_contexts.h"

static struct err err;

enum { N = 5, POINTS = 6, T0 = 4, W_MAX = 64 };

struct trial {
    struct params p;
    struct model_twin twin;
    struct pair x, y, w;
    struct method_setup setup;
    struct fit_data_options o;
    size_t weights;
    double *v; /* [L, E] */
};

static void trial_init(struct trial *t, const char *method, int variant, bool mean) {
    *t = (struct trial){.p = tiny_params(&TINY)};
    t->twin = model_twin_create(&t->p);
    t->x = pair_normals(N * POINTS * 3, 21, 1.0);
    t->y = pair_normals(N * POINTS, 22, 1.0);
    t->w = pair_normals(W_MAX, 23, 0.5);
    t->v = calloc(TINY.L * TINY.E, sizeof *t->v);
    method_setup_named(&t->setup, method, &t->p);
    t->setup.variant = variant;
    t->weights = method_weights(&t->setup);
    assert_true(t->v && t->weights <= W_MAX);
    t->o = (struct fit_data_options){.setup = &t->setup,
                                     .prompts = {N, POINTS, 3, .x = t->x.f, .y = t->y.f},
                                     .basis_points = T0,
                                     .mean = mean,
                                     .averaged = 3,
                                     .batch = N,
                                     .shards = 1,
                                     .memory = SIZE_MAX,
                                     .loss = {.kind = LOSS_HUBER, .delta = 0.7}};
}

static void trial_free(struct trial *t) {
    free(t->v);
    model_twin_destroy(&t->twin);
    params_destroy(&t->p);
    pair_free(&t->x), pair_free(&t->y), pair_free(&t->w);
}

/* Runs prompt i up to the x of point k (from 0) through the twin. */
static size_t run_prompt(struct trial *t, size_t i, size_t k, const struct twin_edit *edits,
                         size_t n_edits) {
    double tokens[2 * POINTS * 3] = {0};
    for (size_t j = 0; j <= k; j++) {
        memcpy(tokens + 2 * j * 3, t->x.d + (i * POINTS + j) * 3, 3 * sizeof *tokens);
        if (j < k) tokens[(2 * j + 1) * 3] = t->y.d[i * POINTS + j];
    }
    model_twin_run(&t->twin, tokens, 2 * k + 1, edits, n_edits);
    return 2 * k;
}

/* u [L, E] at the basis query of prompt i, or its mean over the training prompts. */
static void basis_rows(double *u, struct trial *t, size_t i, bool from_a) {
    const size_t E = TINY.E, rows = TINY.positions;
    const size_t first = t->o.mean ? 0 : i, n = t->o.mean ? t->o.averaged : 1;
    memset(u, 0, TINY.L * E * sizeof *u);
    for (size_t j = first; j < first + n; j++) {
        const size_t token = run_prompt(t, j, T0 - 1, NULL, 0);
        const double *from = from_a ? t->twin.a : t->twin.z;
        for (size_t l = 0; l < TINY.L; l++)
            for (size_t e = 0; e < E; e++)
                u[l * E + e] += from[(l * rows + token) * E + e] / (double)n;
    }
}

/* Design 3.4, head by head, for one prompt. */
static void ltv_twin(struct trial *t, size_t i) {
    const size_t E = TINY.E, H = TINY.H, D = E / H;
    const int reading = t->setup.variant;
    double u[3 * 8];
    basis_rows(u, t, i, reading >= LTV_REPROJECTED);
    memset(t->v, 0, TINY.L * E * sizeof *t->v);
    for (size_t l = 0; l < TINY.L; l++)
        for (size_t h = 0; h < H; h++)
            for (size_t e = 0; e < E; e++) {
                double o = reading == LTV_BLOCKS && e / D == h ? u[l * E + e] : 0;
                if (reading != LTV_BLOCKS)
                    for (size_t c = h * D; c < (h + 1) * D; c++)
                        o += u[l * E + c] * (double)t->p.layers[l].proj_w.f32[c * E + e];
                if (reading == LTV_HEADS_BIAS || reading == LTV_REPROJECTED)
                    o += (double)t->p.layers[l].proj_b[e];
                t->v[l * E + e] += t->w.d[l * H + h] * o;
            }
}

static void vector_twin(struct trial *t, size_t i) {
    const size_t E = TINY.E;
    const char *name = t->setup.method->name;
    if (strcmp(name, "ltv") == 0) ltv_twin(t, i);
    for (size_t j = 0; j < TINY.L * E; j++) {
        if (strcmp(name, "constant") == 0) t->v[j] = t->w.d[j];
        if (strcmp(name, "bias_only") == 0)
            t->v[j] = t->w.d[j / E] * (double)t->p.layers[j / E].proj_b[j % E];
    }
}

static double mean_loss_twin(void *context) {
    struct trial *t = context;
    double loss = 0;
    for (size_t i = 0; i < N; i++) {
        struct twin_edit edits[3];
        vector_twin(t, i);
        for (size_t l = 0; l < TINY.L; l++)
            edits[l] = (struct twin_edit){l, 2 * (POINTS - 1), 1.0, t->v + l * TINY.E};
        const size_t token = run_prompt(t, i, POINTS - 1, edits, TINY.L);
        const double e = fabs(t->twin.prediction[token] - t->y.d[i * POINTS + POINTS - 1]);
        loss += e <= t->o.loss.delta ? e * e / 2 : t->o.loss.delta * (e - t->o.loss.delta / 2);
    }
    return loss / N;
}

static void compare(const char *method, int variant, bool mean, size_t memory,
                    enum context_precision contexts) {
    struct trial t;
    struct fit_data *data = NULL;
    const uint32_t rows[N] = {3, 0, 4, 2, 1};
    float dw[W_MAX];
    double loss, want[W_MAX];
    trial_init(&t, method, variant, mean);
    t.o.memory = memory;
    t.o.contexts = contexts;
    const double within = contexts == CONTEXT_HALF ? 50 : 1; /* the twin does not round */
    SUCCEEDS(fit_data_create(&data, &t.o, NULL, &err));
    fit_data_pass(&loss, dw, data, t.w.f, rows, N, 1.0 / N);
    const double want_loss = mean_loss_twin(&t);
    CLOSE(fabs(loss - want_loss) / want_loss, within * 1e-5);
    for (size_t i = 0; i < t.weights; i++) want[i] = twin_slope(mean_loss_twin, &t, t.w.d + i);
    CLOSE(relative_error(dw, want, t.weights), within * 1e-4);
    fit_data_destroy(data);
    trial_free(&t);
}

static void gradients_equal_central_differences(void **state) {
    (void)state;
    for (int reading = LTV_HEADS; reading <= LTV_BLOCKS; reading++) {
        compare("ltv", reading, false, SIZE_MAX, CONTEXT_SINGLE);
        compare("ltv", reading, true, 0, CONTEXT_SINGLE);
        compare("ltv", reading, false, SIZE_MAX, CONTEXT_HALF);
    }
    compare("constant", 0, false, 0, CONTEXT_SINGLE);
    compare("bias_only", 0, false, SIZE_MAX, CONTEXT_SINGLE);
}

/* Loss and gradient of each of two shards. */
struct two_passes {
    double loss[2];
    float dw[2 * W_MAX];
};

static struct two_passes pass_of(const struct trial *t, const struct context_share *share) {
    struct two_passes out = {0};
    struct fit_data *data = NULL;
    struct fit_data_options o = t->o;
    const uint32_t rows[N] = {3, 0, 4, 2, 1};
    o.shards = 2;
    o.share = share;
    o.mean = false;
    const struct model_dims *d = &t->p.dims;
    const size_t room = share ? fit_data_cached_bytes(&o, d, o.shards) : 0;
    if (share) context_cache_begin(share->cache, "fit", room);
    SUCCEEDS(fit_data_create(&data, &o, NULL, &err));
    fit_data_pass(out.loss, out.dw, data, t->w.f, rows, N, 1.0 / N);
    fit_data_destroy(data);
    if (share) context_cache_end(share->cache);
    return out;
}

/* The same fit three times, as of another model, and with another first prompt. */
static void contexts_of_an_earlier_fit_give_the_same_bits(void **state) {
    (void)state;
    struct trial t;
    struct context_share share = {.model = "a model"}, other = {.model = "another"};
    trial_init(&t, "ltv", LTV_HEADS, false);
    SUCCEEDS(context_cache_create(&share.cache, NULL, &err));
    other.cache = share.cache;
    const struct two_passes alone = pass_of(&t, NULL), first = pass_of(&t, &share),
                            second = pass_of(&t, &share);
    const struct context_counts found = context_cache_counts(share.cache);
    const struct two_passes third = pass_of(&t, &other);
    const struct context_counts made = context_cache_counts(share.cache);
    assert_memory_equal(&alone, &first, sizeof alone);
    assert_memory_equal(&alone, &second, sizeof alone);
    assert_memory_equal(&alone, &third, sizeof alone);
    assert_true(found.found == N && found.made == 0);
    assert_true(made.found == 0 && made.made == N); /* the room is that of one fit */
    t.x.f[0] += 1;                                  /* of the first prompt, in shard 0 */
    (void)pass_of(&t, &other);
    const struct context_counts half = context_cache_counts(share.cache);
    assert_true(half.found == 2 && half.made == 3);
    context_cache_destroy(share.cache);
    trial_free(&t);
}

static void a_look_shows_vector_and_prediction(void **state) {
    (void)state;
    struct trial t;
    struct fit_data *data = NULL;
    const uint32_t rows[2] = {4, 1};
    float v[3 * 2 * 8], prediction[2];
    trial_init(&t, "ltv", LTV_REPROJECTED, false);
    SUCCEEDS(fit_data_create(&data, &t.o, NULL, &err));
    fit_data_predict(v, prediction, data, t.w.f, rows, 2);
    for (size_t r = 0; r < 2; r++) {
        struct twin_edit edits[3];
        vector_twin(&t, rows[r]);
        for (size_t l = 0; l < TINY.L; l++) {
            CLOSE(twin_error(v + (l * 2 + r) * TINY.E, t.v + l * TINY.E, TINY.E), 1e-5);
            edits[l] = (struct twin_edit){l, 2 * (POINTS - 1), 1.0, t.v + l * TINY.E};
        }
        const size_t token = run_prompt(&t, rows[r], POINTS - 1, edits, TINY.L);
        CLOSE(twin_error(prediction + r, t.twin.prediction + token, 1), 1e-5);
    }
    fit_data_destroy(data);
    trial_free(&t);
}

/* A fit that caches its contexts makes as many of them at once as one that makes them anew. */
static void contexts_are_made_together(void **state) {
    (void)state;
    struct trial t;
    trial_init(&t, "ltv", LTV_REPROJECTED, false);
    const struct prompt_batch_options cached = fit_size_batch(&t.o, &TINY, 0);
    const struct prompt_batch_options own = fit_size_batch(&t.o, &TINY, N);
    assert_int_equal(prompt_batch_bytes(&cached), prompt_batch_bytes(&own));
    assert_true(prompt_batch_context_bytes(&cached) < prompt_batch_context_bytes(&own));
    trial_free(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_equal_central_differences),
        cmocka_unit_test(contexts_of_an_earlier_fit_give_the_same_bits),
        cmocka_unit_test(contexts_are_made_together),
        cmocka_unit_test(a_look_shows_vector_and_prediction),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
