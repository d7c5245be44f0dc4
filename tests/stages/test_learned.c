/*
 * Methods that learn and edit as they like, against the full forward in double: loss and gradient,
 * and the weights of a teacher found again.
 */
#include <math.h>
#include <stdlib.h>

#include "methods/loreft.h"
#include "model/tiny.h"
#include "ops/blas.h"
#include "optim/lbfgs.h"
#include "passes/fit_data.h"

enum { N = 6, POINTS = 5, T0 = 3, W_MAX = 64, E = 8 };

static struct err err;

struct trial {
    struct params p;
    struct model_twin twin;
    struct pair x, y, w;
    struct method_setup setup;
    struct fit_data_options o;
    struct fit_data *data;
    size_t weights;
};

static void trial_init(struct trial *t, const char *method, int64_t layer, int64_t rank,
                       size_t points) {
    *t = (struct trial){.p = tiny_params(&TINY)};
    t->twin = model_twin_create(&t->p);
    t->x = pair_normals(N * POINTS * 3, 31, 1.0);
    t->y = pair_normals(N * POINTS, 32, 1.0);
    t->w = pair_normals(W_MAX, 33, 0.7);
    method_setup_named(&t->setup, method, &t->p);
    t->setup.layer = layer;
    if (strcmp(method, "loreft") == 0) loreft_set_keys(&t->setup, (struct loreft_keys){rank});
    t->weights = method_weights(&t->setup);
    assert_true(t->weights <= W_MAX && TINY.E == E);
    t->o = (struct fit_data_options){.setup = &t->setup,
                                     .prompts = {N, points, 3, .x = t->x.f, .y = t->y.f},
                                     .basis_points = T0,
                                     .averaged = 4,
                                     .batch = N,
                                     .shards = 1,
                                     .memory = SIZE_MAX,
                                     .loss = {.kind = LOSS_SQUARED}};
}

static void trial_free(struct trial *t) {
    fit_data_destroy(t->data);
    model_twin_destroy(&t->twin);
    params_destroy(&t->p);
    pair_free(&t->x), pair_free(&t->y), pair_free(&t->w);
}

/* Prompt i up to the x of point k (from 0); returns that token. */
static size_t run_prompt(struct trial *t, size_t i, size_t k, struct twin_patch *patches,
                         size_t n) {
    const size_t points = t->o.prompts.points;
    double tokens[2 * POINTS * 3] = {0};
    for (size_t j = 0; j <= k; j++) {
        memcpy(tokens + 2 * j * 3, t->x.d + (i * points + j) * 3, 3 * sizeof *tokens);
        if (j < k) tokens[(2 * j + 1) * 3] = t->y.d[i * points + j];
    }
    for (size_t p = 0; p < n; p++) patches[p].token = 2 * k;
    t->twin.patches = patches;
    t->twin.n_patches = n;
    model_twin_run(&t->twin, tokens, 2 * k + 1, NULL, 0);
    return 2 * k;
}

/* ---- the three methods by their definitions */

static size_t site_twin(struct twin_patch *patches, double *z, struct trial *t, size_t i) {
    const size_t H = TINY.H, D = E / H, n = t->o.mean ? t->o.averaged : 1;
    memset(z, 0, TINY.L * E * sizeof *z);
    for (size_t j = 0; j < n; j++) {
        const size_t token = run_prompt(t, t->o.mean ? j : i, t->o.basis_points - 1, NULL, 0);
        for (size_t c = 0; c < TINY.L * E; c++)
            z[c] += t->twin.z[(c / E * TINY.positions + token) * E + c % E] / (double)n;
    }
    for (size_t a = 0; a < TINY.L * H; a++) {
        const double s = 1 / (1 + exp(-t->w.d[a]));
        patches[a] = (struct twin_patch){.site = 'z',
                                         .layer = a / H,
                                         .from = a % H * D,
                                         .n = D,
                                         .keep = 1 - s,
                                         .scale = s,
                                         .values = z + a / H * E + a % H * D};
    }
    return TINY.L * H;
}

static size_t learned_twin(struct twin_patch *patch, struct trial *t) {
    const size_t layer = (size_t)t->setup.layer;
    *patch = (struct twin_patch){.site = layer > 0 ? 'x' : 'e',
                                 .layer = layer > 0 ? layer - 1 : 0,
                                 .n = E,
                                 .keep = 1,
                                 .scale = 1,
                                 .values = t->w.d};
    return 1;
}

/* h + R^T (W h + b - R h), R the modified Gram-Schmidt basis of the rows of M. */
static void loreft_map(double *h, const void *context) {
    const struct trial *t = context;
    const size_t rank = (size_t)loreft_keys(&t->setup).rank, width = 2 * E + 1;
    double R[E][E], inner[E], length;
    for (size_t i = 0; i < rank; i++) {
        const double *w = t->w.d + i * width;
        memcpy(R[i], w, sizeof R[i]);
        for (size_t j = 0; j < i; j++) {
            const double along = twin_dot(R[j], R[i], E);
            for (size_t e = 0; e < E; e++) R[i][e] -= along * R[j][e];
        }
        length = sqrt(twin_dot(R[i], R[i], E));
        for (size_t e = 0; e < E; e++) R[i][e] /= length;
        inner[i] = twin_dot(w + E, h, E) + w[2 * E] - twin_dot(R[i], h, E);
    }
    for (size_t i = 0; i < rank; i++)
        for (size_t e = 0; e < E; e++) h[e] += inner[i] * R[i][e];
}

static size_t loreft_twin(struct twin_patch *patch, struct trial *t) {
    *patch = (struct twin_patch){
        .site = 'x', .layer = (size_t)t->setup.layer, .n = E, .map = loreft_map, .context = t};
    return 1;
}

/* At point k, from 0. */
static double prediction_twin(struct trial *t, size_t i, size_t k) {
    struct twin_patch patches[6];
    double z[3 * E];
    size_t n;
    switch (t->setup.method->name[1]) {
    case 'i':
        n = site_twin(patches, z, t, i);
        break;
    case 'e':
        n = learned_twin(patches, t);
        break;
    default:
        n = loreft_twin(patches, t);
    }
    return t->twin.prediction[run_prompt(t, i, k, patches, n)];
}

static double loss_twin(void *context) {
    struct trial *t = context;
    const size_t points = t->o.prompts.points, n = t->o.n_lengths > 0 ? t->o.n_lengths : 1;
    double sum = 0;
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < n; j++) {
            const size_t k = (t->o.n_lengths > 0 ? t->o.lengths[j] : points) - 1;
            sum += pow(prediction_twin(t, i, k) - t->y.d[i * points + k], 2) / (double)(n * N);
        }
    return sum;
}

static void compare_predictions(struct trial *t, const uint32_t rows[N]) {
    float prediction[N];
    double want[N];
    if (t->o.n_lengths > 0) return;
    fit_data_predict(NULL, prediction, t->data, t->w.f, rows, N);
    for (size_t i = 0; i < N; i++) want[i] = prediction_twin(t, rows[i], t->o.prompts.points - 1);
    CLOSE(relative_error(prediction, want, N), 1e-4);
}

static void compare(struct trial *t) {
    const uint32_t rows[N] = {3, 0, 4, 2, 5, 1};
    float dw[W_MAX];
    double loss, want[W_MAX];
    SUCCEEDS(fit_data_create(&t->data, &t->o, NULL, &err));
    compare_predictions(t, rows);
    fit_data_pass(&loss, dw, t->data, t->w.f, rows, N, 1.0 / N);
    CLOSE(fabs(loss / loss_twin(t) - 1), 1e-4);
    for (size_t i = 0; i < t->weights; i++) want[i] = twin_slope(loss_twin, t, t->w.d + i);
    CLOSE(relative_error(dw, want, t->weights), 1e-4);
    trial_free(t);
}

static void site_equals_its_twin(void **state) {
    (void)state;
    for (int mean = 0; mean < 2; mean++) {
        struct trial t;
        trial_init(&t, "site", 0, 0, POINTS);
        t.o.mean = mean;
        t.o.memory = mean ? 0 : SIZE_MAX;
        compare(&t);
    }
}

/* At every layer; with no examples too. */
static void learned_vector_equals_its_twin(void **state) {
    (void)state;
    for (size_t points = 1; points <= POINTS; points += POINTS - 1)
        for (size_t layer = 0; layer < TINY.L; layer++) {
            struct trial t;
            trial_init(&t, "learned_vector", (int64_t)layer, 0, points);
            compare(&t);
        }
}

static void loreft_equals_its_twin(void **state) {
    (void)state;
    for (size_t layer = 0; layer < TINY.L; layer++)
        for (size_t rank = 1; rank <= 3; rank++) {
            struct trial t;
            trial_init(&t, "loreft", (int64_t)layer, (int64_t)rank, POINTS);
            compare(&t);
        }
}

/* The loss is the mean over queries at 3, 4 and 5 points, or at fewer than the basis saw; contexts
 * kept or not. */
static void several_lengths_share_a_loss(void **state) {
    (void)state;
    const char *const methods[] = {"site", "loreft"};
    for (size_t m = 0; m < 2; m++)
        for (int mean = 0; mean < 2; mean++) {
            struct trial t;
            trial_init(&t, methods[m], 1, 2, POINTS);
            t.o.mean = mean;
            t.o.memory = mean ? 0 : SIZE_MAX;
            t.o.n_lengths = 3;
            for (size_t j = 0; j < 3; j++) t.o.lengths[j] = mean ? 1 + 2 * j : 3 + j;
            compare(&t);
        }
}

/* ---- constructed cases */

/* A basis prompt that is the prompt: every gate mixes in what stands there already. */
static void gates_to_the_prompts_own_heads_change_nothing(void **state) {
    (void)state;
    struct trial t;
    const uint32_t rows[N] = {0, 1, 2, 3, 4, 5};
    float dw[W_MAX], prediction[N];
    double loss, want[N];
    trial_init(&t, "site", 0, 0, POINTS);
    t.o.basis_points = POINTS;
    SUCCEEDS(fit_data_create(&t.data, &t.o, NULL, &err));
    fit_data_predict(NULL, prediction, t.data, t.w.f, rows, N);
    for (size_t i = 0; i < N; i++)
        want[i] = t.twin.prediction[run_prompt(&t, i, POINTS - 1, NULL, 0)];
    CLOSE(relative_error(prediction, want, N), 1e-5);
    fit_data_pass(&loss, dw, t.data, t.w.f, rows, N, 1.0 / N);
    for (size_t i = 0; i < t.weights; i++) CLOSE(fabs((double)dw[i]), 1e-5);
    trial_free(&t);
}

/* Initial weights without noise are no edit. */
static void loreft_starts_from_no_edit(void **state) {
    (void)state;
    struct trial t;
    const struct rng stream = rng_stream(5, "init");
    const uint32_t rows[N] = {0, 1, 2, 3, 4, 5};
    float prediction[N];
    double want[N];
    trial_init(&t, "loreft", 1, 3, POINTS);
    t.setup.method->derivation.init(t.w.f, &t.setup, &stream);
    SUCCEEDS(fit_data_create(&t.data, &t.o, NULL, &err));
    fit_data_predict(NULL, prediction, t.data, t.w.f, rows, N);
    for (size_t i = 0; i < N; i++)
        want[i] = t.twin.prediction[run_prompt(&t, i, POINTS - 1, NULL, 0)];
    CLOSE(relative_error(prediction, want, N), 1e-5);
    trial_free(&t);
}

static enum err_code loss_of(void *context, double *loss, float *gradient, const float *w,
                             struct err *e) {
    static const uint32_t rows[N] = {0, 1, 2, 3, 4, 5};
    struct trial *t = context;
    (void)e;
    fit_data_pass(loss, gradient, t->data, w, rows, N, 1.0 / N);
    return ERR_OK;
}

/* The last y of every prompt is what the method predicts with weights of its own choice: from other
 * weights, a fit comes to predict the same. */
static void learn_from_teacher(const char *method, int64_t rank) {
    struct trial t;
    const uint32_t rows[N] = {0, 1, 2, 3, 4, 5};
    const struct rng stream = rng_stream(5, "init");
    float taught[N], *memory;
    bool moved = true;
    trial_init(&t, method, 1, rank, POINTS);
    t.setup.init = 0.1;
    SUCCEEDS(fit_data_create(&t.data, &t.o, NULL, &err));
    fit_data_predict(NULL, taught, t.data, t.w.f, rows, N);
    for (size_t i = 0; i < N; i++) t.y.f[(i + 1) * POINTS - 1] = taught[i];
    t.setup.method->derivation.init(t.w.f, &t.setup, &stream);
    struct lbfgs b = {0};
    const struct lbfgs_function f = {loss_of, &t};
    memory = calloc(lbfgs_floats(t.weights), sizeof *memory);
    assert_non_null(memory);
    lbfgs_lay_out(&b, memory, t.weights);
    SUCCEEDS(lbfgs_begin(&b, &f, t.w.f, &err));
    const double first = b.loss;
    for (int i = 0; i < 300 && moved; i++) SUCCEEDS(lbfgs_step(t.w.f, &moved, &b, &f, &err));
    if (!(b.loss < 1e-4 * first)) fail_msg("%s: from %g to %g", method, first, b.loss);
    free(memory);
    trial_free(&t);
}

static void a_fit_finds_what_a_teacher_knows(void **state) {
    (void)state;
    learn_from_teacher("ltv", 0);
    learn_from_teacher("constant", 0);
    learn_from_teacher("bias_only", 0);
    learn_from_teacher("site", 0);
    learn_from_teacher("learned_vector", 0);
    learn_from_teacher("loreft", 2);
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(site_equals_its_twin),
        cmocka_unit_test(learned_vector_equals_its_twin),
        cmocka_unit_test(loreft_equals_its_twin),
        cmocka_unit_test(several_lengths_share_a_loss),
        cmocka_unit_test(gates_to_the_prompts_own_heads_change_nothing),
        cmocka_unit_test(loreft_starts_from_no_edit),
        cmocka_unit_test(a_fit_finds_what_a_teacher_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
