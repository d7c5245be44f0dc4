/* Loss and gradient of a fit on prompts of token ids: answers of several tokens, prompts of
 * different lengths, and the basis of other prompts. */
#include <math.h>

#include "methods/ltv.h"
#include "model/forward.h"
#include "model/tiny_tokens.h"
#include "ops/blas.h"
#include "passes/fit_data.h"
#include "passes/teacher.h"

enum { N = 4, MOST = 7, ANSWER = 3, BASIS = 6, IDS = 20, ANSWERS = 7, BASIS_IDS = 17 };

static struct err err;

static const size_t FIRST[N + 1] = {0, 7, 8, 16, 20};
static const size_t ANSWER_FIRST[N + 1] = {0, 1, 4, 5, 7};
static const size_t BASIS_FIRST[N + 1] = {0, 3, 10, 12, 17};
static uint32_t ids[IDS], answers[ANSWERS], basis_ids[BASIS_IDS];
static const uint32_t ROWS[N] = {0, 1, 2, 3};

static struct prompt_view asked(void) {
    tiny_ids(ids, IDS);
    tiny_ids(answers, ANSWERS);
    return (struct prompt_view){
        .n = N,
        .points = 2,
        .text = {.ids = ids, .first = FIRST, .answers = answers, .answer_first = ANSWER_FIRST}};
}

static struct prompt_view basis_prompts(void) {
    for (size_t i = 0; i < BASIS_IDS; i++)
        basis_ids[i] = (uint32_t)((5 * i + 3) % TINY_TOKENS.vocabulary);
    return (struct prompt_view){.n = N,
                                .points = 3,
                                .text = {.ids = basis_ids,
                                         .first = BASIS_FIRST,
                                         .answers = answers,
                                         .answer_first = ANSWER_FIRST}};
}

struct scene {
    struct params p;
    struct method_setup setup;
    struct fit_data_options o;
    struct fit_data *data;
    struct teacher teacher;
    struct pair w;
};

static struct scene scene_new(const char *method, bool mean, size_t memory) {
    struct scene s = {.p = tiny_params(&TINY_TOKENS)};
    method_setup_named(&s.setup, method, &s.p);
    s.w = pair_normals(method_weights(&s.setup), 3, 0.7);
    s.o = (struct fit_data_options){.prompts = asked(),
                                    .basis_points = 3,
                                    .basis_prompts = basis_prompts(),
                                    .size = {MOST, ANSWER, BASIS},
                                    .mean = mean,
                                    .averaged = 3,
                                    .batch = N,
                                    .shards = 1,
                                    .memory = memory,
                                    .loss = {.kind = LOSS_CROSS_ENTROPY}};
    return s;
}

/* The setup must not move. */
static void scene_open(struct scene *s) {
    s->setup.params = &s->p;
    s->o.setup = &s->setup;
    SUCCEEDS(fit_data_create(&s->data, &s->o, NULL, &err));
}

/* The prompts of the basis teach, too; labels: weight of the cross entropy. */
static void scene_teach(struct scene *s, double labels) {
    const struct prompt_view prompts = basis_prompts();
    s->setup.params = &s->p;
    s->o.setup = &s->setup;
    s->o.size.teacher = BASIS;
    s->o.batch = 3; /* two passes */
    s->o.loss = (struct prompt_loss){.kind = LOSS_DIVERGENCE, .cross_entropy = labels};
    s->o.first_token = labels <= 0;
    SUCCEEDS(teacher_create(&s->teacher, &s->o, &prompts, NULL, &err));
    s->o.batch = N;
    s->o.teacher = &s->teacher;
    SUCCEEDS(fit_data_create(&s->data, &s->o, NULL, &err));
}

static void scene_free(struct scene *s) {
    teacher_destroy(&s->teacher);
    fit_data_destroy(s->data);
    params_destroy(&s->p);
    pair_free(&s->w);
}

/* The mean over prompts of the mean over the tokens of the answer of -log p, by whole sequences. */
static double loss_without_vector(const struct params *p) {
    const struct prompt_view v = asked();
    const size_t V = TINY_TOKENS.vocabulary;
    double sum = 0;
    for (size_t i = 0; i < N; i++) {
        const size_t n = prompt_view_length(&v, i), m = prompt_view_answer_length(&v, i);
        uint32_t tokens[MOST + 1 + ANSWER];
        const uint32_t length = (uint32_t)(n + m);
        memcpy(tokens, prompt_view_ids(&v, i), n * sizeof *tokens);
        memcpy(tokens + n, prompt_view_answer(&v, i), m * sizeof *tokens);
        struct forward f;
        SUCCEEDS(forward_create(&f, &TINY_TOKENS, 1, length, false, &err));
        forward_run_ids(&f, p, &(struct forward_ids){1, &length, tokens});
        float *logits = tiny_logits(p, forward_x(&f, TINY_TOKENS.L), length);
        for (size_t j = 0; j < m; j++) {
            const float *row = logits + (n - 1 + j) * V;
            double all = 0;
            for (size_t t = 0; t < V; t++) all += exp((double)row[t]);
            sum += (log(all) - (double)row[tokens[n + j]]) / (double)m / N;
        }
        free(logits);
        forward_destroy(&f);
    }
    return sum;
}

static void without_a_vector_the_loss_is_that_of_whole_sequences(void **state) {
    (void)state;
    struct scene s = scene_new("ltv", true, 0);
    scene_open(&s);
    double loss;
    memset(s.w.f, 0, s.w.n * sizeof *s.w.f);
    fit_data_pass(&loss, NULL, s.data, s.w.f, ROWS, N, 1.0 / N);
    CLOSE(fabs(loss - loss_without_vector(&s.p)), 1e-5);
    scene_free(&s);
}

/* log p of the next token after prompt i. */
static void log_next(double *out, const struct params *p, const struct prompt_view *v, size_t i) {
    const size_t V = TINY_TOKENS.vocabulary;
    const uint32_t length = (uint32_t)prompt_view_length(v, i);
    struct forward f;
    double all = 0;
    SUCCEEDS(forward_create(&f, &TINY_TOKENS, 1, length, false, &err));
    forward_run_ids(&f, p, &(struct forward_ids){1, &length, prompt_view_ids(v, i)});
    float *logits = tiny_logits(p, forward_x(&f, TINY_TOKENS.L), length);
    const float *row = logits + (length - 1) * V;
    for (size_t t = 0; t < V; t++) all += exp((double)row[t]);
    for (size_t t = 0; t < V; t++) out[t] = (double)row[t] - log(all);
    free(logits);
    forward_destroy(&f);
}

static double divergence_without_vector(const struct params *params) {
    const struct prompt_view own = asked(), teacher = basis_prompts();
    double p[64], q[64], sum = 0;
    assert_true(TINY_TOKENS.vocabulary <= 64);
    for (size_t i = 0; i < N; i++) {
        log_next(p, params, &teacher, i);
        log_next(q, params, &own, i);
        for (size_t t = 0; t < TINY_TOKENS.vocabulary; t++) sum += exp(p[t]) * (p[t] - q[t]) / N;
    }
    return sum;
}

static void the_divergence_is_that_of_whole_sequences(void **state) {
    (void)state;
    static const double labels[] = {0, 0.5};
    for (size_t i = 0; i < 2; i++) {
        struct scene s = scene_new("ltv", true, 0);
        double loss;
        scene_teach(&s, labels[i]);
        memset(s.w.f, 0, s.w.n * sizeof *s.w.f);
        fit_data_pass(&loss, NULL, s.data, s.w.f, ROWS, N, 1.0 / N);
        const double want = divergence_without_vector(&s.p) + labels[i] * loss_without_vector(&s.p);
        CLOSE(fabs(loss - want), 1e-5);
        scene_free(&s);
    }
}

static double loss_at(struct scene *s, size_t i, float step) {
    const float before = s->w.f[i];
    double loss;
    s->w.f[i] = before + step;
    fit_data_pass(&loss, NULL, s->data, s->w.f, ROWS, N, 1.0 / N);
    s->w.f[i] = before;
    return loss;
}

static void compare_gradient(struct scene *s) {
    const float step = 1.0f / 64;
    double loss, largest = 0;
    float *dw = calloc(s->w.n, sizeof *dw);
    assert_non_null(dw);
    fit_data_pass(&loss, dw, s->data, s->w.f, ROWS, N, 1.0 / N);
    for (size_t i = 0; i < s->w.n; i++) largest = fmax(largest, fabs((double)dw[i]));
    assert_true(largest > 1e-3);
    for (size_t i = 0; i < s->w.n; i++) {
        const double slope = (loss_at(s, i, step) - loss_at(s, i, -step)) / (2 * (double)step);
        CLOSE(fabs(slope - (double)dw[i]), 3e-3 * largest);
    }
    free(dw);
}

static void gradients_equal_differences(void **state) {
    (void)state;
    static const char *const METHODS[] = {"ltv", "constant", "bias_only"};
    for (size_t m = 0; m < 6; m++) {
        struct scene s = scene_new(METHODS[m % 3], m < 3, (size_t)1 << 24);
        scene_open(&s);
        compare_gradient(&s);
        scene_free(&s);
    }
}

static void gradients_of_the_divergence_equal_differences(void **state) {
    (void)state;
    static const char *const METHODS[] = {"ltv", "site", "constant"};
    for (size_t m = 0; m < 6; m++) {
        struct scene s = scene_new(METHODS[m % 3], m < 3, (size_t)1 << 24);
        scene_teach(&s, m % 2 == 0 ? 0 : 0.5);
        compare_gradient(&s);
        scene_free(&s);
    }
}

static void recomputed_contexts_give_the_same_bits(void **state) {
    (void)state;
    for (int mean = 0; mean < 2; mean++) {
        double loss[2];
        float dw[2][6];
        for (size_t i = 0; i < 2; i++) {
            struct scene s = scene_new("ltv", mean, i == 0 ? 0 : (size_t)1 << 24);
            scene_open(&s);
            assert_int_equal(s.w.n, 6);
            fit_data_pass(&loss[i], dw[i], s.data, s.w.f, ROWS, N, 1.0 / N);
            scene_free(&s);
        }
        assert_memory_equal(&loss[0], &loss[1], sizeof *loss);
        assert_memory_equal(dw[0], dw[1], sizeof dw[0]);
    }
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_vector_the_loss_is_that_of_whole_sequences),
        cmocka_unit_test(gradients_equal_differences),
        cmocka_unit_test(the_divergence_is_that_of_whole_sequences),
        cmocka_unit_test(gradients_of_the_divergence_equal_differences),
        cmocka_unit_test(recomputed_contexts_give_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
