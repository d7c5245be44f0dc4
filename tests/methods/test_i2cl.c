/* Implicit in-context learning on models of every family, against whole sequences in double: the
 * mean outputs of demonstrations, loss and gradient of the calibration, and prompts under its
 * edits. */
#include "methods/i2cl.h"

#include <math.h>

#include "methods/i2cl_prompts.h"
#include "model/tiny_families.h"
#include "ops/blas.h"
#include "passes/choice_loss.h"

enum { N = 3, L = 2, E = 16, V = 13, MOST = 5, ANSWER = 3, ROW = E + 2, SCALARS = 4 * L };

static struct err err;

static const size_t FIRST[N + 1] = {0, 4, 5, 10};
static const size_t ANSWER_FIRST[N + 1] = {0, 2, 5, 6};
static uint32_t ids[10], answers[6];

static struct prompt_view demonstrations(void) {
    for (uint32_t i = 0; i < 10; i++) ids[i] = (5 * i + i * i / 3 + 2) % V;
    for (uint32_t i = 0; i < 6; i++) answers[i] = (7 * i + 1) % V;
    return (struct prompt_view){
        .n = N,
        .points = 1,
        .text = {.ids = ids, .first = FIRST, .answers = answers, .answer_first = ANSWER_FIRST}};
}

struct scene {
    const char *title;
    struct params p;
    struct model_twin twin;
    struct prompt_view view;
    struct method_setup setup;
    float w[2 * L * ROW];
};

static void scene_open(struct scene *s, size_t family) {
    *s = (struct scene){.title = TINY_FAMILIES[family].title,
                        .p = tiny_params(&TINY_FAMILIES[family].dims),
                        .view = demonstrations()};
    s->twin = model_twin_create(&s->p);
    method_setup_named(&s->setup, "i2cl", &s->p);
    i2cl_set_keys(&s->setup, (struct i2cl_keys){.demonstrations = N});
    assert_int_equal(method_weights(&s->setup), 2 * L * ROW);
}

static void scene_close(struct scene *s) {
    model_twin_destroy(&s->twin);
    params_destroy(&s->p);
}

/* Vectors and scalars that are not those of any fit. */
static void fill_weights(struct scene *s) {
    struct pair w = pair_normals(2 * L * ROW, 5, 0.5);
    memcpy(s->w, w.f, sizeof s->w);
    for (size_t m = 0; m < 2 * L; m++) s->w[m * ROW + E + 1] += 1;
    pair_free(&w);
}

/* ---- the twin */

/* Prompt i, with the first `shown` tokens of its answer. Returns the number of tokens. */
static size_t run_sequence(struct model_twin *t, const struct prompt_view *v, size_t i,
                           size_t shown) {
    uint32_t tokens[MOST + ANSWER];
    const size_t n = prompt_view_length(v, i);
    memcpy(tokens, prompt_view_ids(v, i), n * sizeof *tokens);
    memcpy(tokens + n, prompt_view_answer(v, i), shown * sizeof *tokens);
    model_twin_run_ids(t, tokens, n + shown);
    return n + shown;
}

/* The mean over prompts of the mean of -log p over the tokens of an answer, where every attention
 * and MLP output m is b1 m + b0 c. scalars [2 L, 2]: b0, b1. */
static double twin_loss(struct scene *s, const double *scalars) {
    static double c[2 * L][E];
    static struct twin_patch patches[2 * L * (MOST + ANSWER)];
    struct model_twin *t = &s->twin;
    double sum = 0;
    t->n_patches = 0;
    for (size_t m = 0; m < 2 * L; m++)
        for (size_t token = 0; token < MOST + ANSWER; token++)
            patches[t->n_patches++] = (struct twin_patch){.site = m % 2 ? 'm' : 'a',
                                                          .layer = m / 2,
                                                          .token = token,
                                                          .n = E,
                                                          .keep = scalars[2 * m + 1],
                                                          .scale = scalars[2 * m],
                                                          .values = c[m]};
    t->patches = patches;
    for (size_t m = 0; m < 2 * L; m++)
        for (size_t e = 0; e < E; e++) c[m][e] = (double)s->w[m * ROW + e];
    for (size_t i = 0; i < s->view.n; i++) {
        const size_t answer = prompt_view_answer_length(&s->view, i),
                     n = run_sequence(t, &s->view, i, answer - 1) - answer;
        for (size_t j = 0; j < answer; j++) {
            const double *row = t->prediction + (n + j) * V;
            double all = 0;
            for (size_t k = 0; k < V; k++) all += exp(row[k]);
            sum += (log(all) - row[prompt_view_answer(&s->view, i)[j]]) / (double)answer;
        }
    }
    t->patches = NULL, t->n_patches = 0;
    return sum / (double)s->view.n;
}

static void scalars_of(double *scalars, const struct scene *s) {
    for (size_t m = 0; m < 2 * L; m++)
        for (size_t j = 0; j < 2; j++) scalars[2 * m + j] = (double)s->w[m * ROW + E + j];
}

static double slope(struct scene *s, size_t i) {
    double scalars[SCALARS];
    scalars_of(scalars, s);
    const double at = scalars[i], step = 1e-5;
    scalars[i] = at + step;
    const double above = twin_loss(s, scalars);
    scalars[i] = at - step;
    return (above - twin_loss(s, scalars)) / (2 * step);
}

/* ---- the tests */

static void derive(struct scene *s, int64_t epochs, double lr) {
    const struct rng stream = rng_stream(1, "i2cl");
    struct method_training t = {.tokens = MOST - 1, .answer = ANSWER, .stream = &stream};
    t.texts[METHOD_ALONE] = s->view;
    i2cl_set_keys(&s->setup, (struct i2cl_keys){(int64_t)s->view.n, epochs, lr});
    SUCCEEDS(s->setup.method->derivation.derive(s->w, &t, &s->setup, &err));
}

static void vectors_are_mean_outputs_at_the_last_tokens(void **state) {
    (void)state;
    for (size_t f = 0; f < TINY_FAMILY_COUNT; f++) {
        struct scene s;
        double want[2 * L * E] = {0};
        scene_open(&s, f);
        const size_t layer = s.p.dims.positions * E;
        for (size_t i = 0; i < N; i++) {
            const size_t answer = prompt_view_answer_length(&s.view, i),
                         at = (run_sequence(&s.twin, &s.view, i, answer) - 1) * E;
            for (size_t l = 0; l < L; l++)
                for (size_t e = 0; e < E; e++) {
                    const double a = s.twin.a[l * layer + at + e];
                    const double *x = s.twin.x + l * layer + at + e;
                    want[2 * l * E + e] += a / N;
                    want[(2 * l + 1) * E + e] += (x[layer] - x[0] - a) / N;
                }
        }
        derive(&s, 0, 0);
        for (size_t m = 0; m < 2 * L; m++) {
            FAMILY_CLOSE(relative_error(s.w + m * ROW, want + m * E, E), 2e-5, s.title);
            assert_true(s.w[m * ROW + E] == 0.1f && s.w[m * ROW + E + 1] == 1.0f);
        }
        scene_close(&s);
    }
}

struct summed {
    double gradient[SCALARS];
    const float *v; /* [2 L, E] */
};

static void sum_at(void *context, const struct query_place *at) {
    struct summed *sum = context;
    const size_t m = 2 * at->layer + (at->site == EDIT_MLP);
    assert_true(at->x && (at->site == EDIT_MLP || at->site == EDIT_ATTENTION));
    for (size_t i = 0; i < at->R * E; i++) {
        sum->gradient[2 * m] += (double)at->g[i] * (double)sum->v[m * E + i % E];
        sum->gradient[2 * m + 1] += (double)at->g[i] * (double)at->x[i];
    }
}

static void loss_and_gradient_are_those_of_whole_sequences(void **state) {
    (void)state;
    static const uint32_t which[] = {0, 1};
    for (size_t f = 0; f < TINY_FAMILY_COUNT; f++) {
        struct scene s;
        struct i2cl_prompts prompts;
        struct edit items[8 * L];
        struct edits edits;
        float v[(2 * L + 1) * E];
        struct summed sum = {.v = v};
        double scalars[SCALARS], largest = 0;
        scene_open(&s, f);
        fill_weights(&s);
        s.view.n = 2;
        SUCCEEDS(i2cl_prompts_create(&prompts, &s.p, &s.view, MOST - 1, ANSWER, &err));
        s.setup.method->application.vector(v, s.w, NULL, &s.setup, NULL);
        method_edits(items, &edits, v, s.w, 1, &s.setup);
        const struct query_visitor visitor = {sum_at, &sum};
        const double loss = i2cl_prompts_loss(&prompts, which, 2, &edits, &visitor);
        scalars_of(scalars, &s);
        FAMILY_CLOSE(fabs(loss - twin_loss(&s, scalars)), 3e-5, s.title);
        for (size_t i = 0; i < SCALARS; i++) largest = fmax(largest, fabs(slope(&s, i)));
        for (size_t i = 0; i < SCALARS; i++)
            FAMILY_CLOSE(fabs(sum.gradient[i] - slope(&s, i)), 1e-4 * largest, s.title);
        i2cl_prompts_destroy(&prompts);
        scene_close(&s);
    }
}

/* The first update of Adam has the size of the learning rate, against the sign of the gradient. Of
 * two updates with a cosine schedule the first has half the peak, the second none. */
static void an_update_goes_down_the_gradient(void **state) {
    (void)state;
    struct scene s;
    double slopes[SCALARS];
    const float lr = 1e-3f, start[2] = {0.1f, 1};
    scene_open(&s, 6);
    s.view.n = 2;
    derive(&s, 0, 0);
    for (size_t i = 0; i < SCALARS; i++) slopes[i] = slope(&s, i);
    derive(&s, 2, 2 * (double)lr);
    for (size_t i = 0; i < SCALARS; i++) {
        const float moved = s.w[i / 2 * ROW + E + i % 2] - start[i % 2] * (1 - lr * 1e-3f);
        assert_true(fabs(slopes[i]) > 1e-4);
        CLOSE(fabs((double)moved + (slopes[i] > 0 ? 1 : -1) * (double)lr), 1e-6);
    }
    scene_close(&s);
}

/* A calibration lowers the loss on its demonstrations, and other prompts have the loss of whole
 * sequences under its edits. */
static void prompts_are_edited_at_every_token(void **state) {
    (void)state;
    for (size_t f = 0; f < TINY_FAMILY_COUNT; f++) {
        struct scene s;
        struct choice_loss *c;
        double loss = 0, scalars[SCALARS];
        scene_open(&s, f);
        derive(&s, 0, 0);
        scalars_of(scalars, &s);
        const double before = twin_loss(&s, scalars);
        derive(&s, 10, 0.05);
        scalars_of(scalars, &s);
        const double after = twin_loss(&s, scalars);
        if (!(after < before)) fail_msg("%s: loss %g, then %g", s.title, before, after);
        const struct choice_loss_options o = {.setup = &s.setup,
                                              .points = 1,
                                              .chunk = N,
                                              .size = {.tokens = MOST - 1, .answer = ANSWER},
                                              .loss = {.kind = LOSS_CROSS_ENTROPY}};
        SUCCEEDS(choice_loss_create(&c, &o, s.w, &err));
        choice_loss_add(&loss, c, &s.view, NULL, NULL, 1.0 / N);
        FAMILY_CLOSE(fabs(loss - after), 3e-5, s.title);
        choice_loss_destroy(c);
        scene_close(&s);
    }
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_mean_outputs_at_the_last_tokens),
        cmocka_unit_test(loss_and_gradient_are_those_of_whole_sequences),
        cmocka_unit_test(an_update_goes_down_the_gradient),
        cmocka_unit_test(prompts_are_edited_at_every_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
