/* Predictions and gradients of whole models in each arithmetic compared with f32 by OpenBLAS, for
 * every family; where oneDNN or instructions are missing, one line says so. */
#include "model/model_products.h"

#include <math.h>
#include <stdlib.h>

#include "model/context_pass.h"
#include "model/forward.h"
#include "model/tiny_families.h"
#include "model/vocabulary.h"
#include "ops/blas.h"

static struct err err;

static const struct {
    const char *name;
    struct model_arithmetic use;
    double predictions, gradients, least; /* limits of errors; that of predictions is above least */
} CASES[] = {
    {"bf16x3", {ARITHMETIC_BF16X3, false}, 1e-4, 1e-3, 1e-9},
    {"bf16x2", {ARITHMETIC_BF16X2, false}, 0.1, 0.3, 1e-5},
    {"bf16", {ARITHMETIC_BF16, false}, 0.1, 0.3, 1e-5},
    {"f32 by oneDNN", {ARITHMETIC_F32, true}, 1e-5, 1e-4, 0},
};
enum { N_CASES = sizeof CASES / sizeof *CASES };

static void use_or_skip(struct params *p, const struct model_arithmetic *a) {
    if (model_products_use(p, a, true, &err) == ERR_OK) return;
    assert_int_equal(err.code, ERR_CONFIG);
    fprintf(stderr, "skipped: %s\n", err.msg);
    params_destroy(p);
    skip();
}

/* The difference of the largest, over the largest of `want`. */
static double apart(const float *got, const float *want, size_t n) {
    double worst = 0, scale = 0;
    for (size_t i = 0; i < n; i++) {
        const double e = fabs((double)got[i] - (double)want[i]);
        worst = e <= worst ? worst : e;
        scale = fmax(scale, fabs((double)want[i]));
    }
    return worst / scale;
}

static void check(const char *what, size_t c, double error, double limit, double least) {
    if (error <= limit && error >= least) return;
    fail_msg("%s in %s: error %.3g, limits %.3g to %.3g", what, CASES[c].name, error, least, limit);
}

/* ---- a regression model */

static const struct model_dims REGRESSION = {
    .L = 3, .H = 4, .E = 64, .inputs = 5, .positions = 82, .epsilon = 1e-5f};

enum { PROMPTS = 5, TOKENS = 80, ROWS = 12 };

struct results {
    float *prediction;
    struct params gradient;
};

static void run_regression(struct results *out, const struct params *p) {
    enum { N = PROMPTS * TOKENS / 2 };
    const struct model_dims *d = &p->dims;
    struct forward f;
    struct pair tokens = pair_normals((size_t)PROMPTS * TOKENS * d->inputs, 1, 1.0);
    struct pair c = pair_normals(N, 2, 1.0);
    SUCCEEDS(params_create(&out->gradient, d, &err));
    SUCCEEDS(forward_create(&f, d, PROMPTS, TOKENS, true, &err));
    forward_run(&f, p, tokens.f, PROMPTS, TOKENS);
    out->prediction = calloc(N, sizeof *out->prediction);
    assert_non_null(out->prediction);
    memcpy(out->prediction, f.prediction, N * sizeof *out->prediction);
    forward_backward(&out->gradient, &f, p, tokens.f, c.f);
    forward_destroy(&f);
    pair_free(&tokens), pair_free(&c);
}

static void results_free(struct results *r) {
    free(r->prediction);
    params_destroy(&r->gradient);
}

static void predictions_and_gradients(void **state) {
    (void)state;
    struct params p = tiny_params(&REGRESSION);
    struct results want, got;
    run_regression(&want, &p);
    for (size_t c = 0; c < N_CASES; c++) {
        use_or_skip(&p, &CASES[c].use);
        run_regression(&got, &p);
        model_products_release(&p);
        check("predictions", c, apart(got.prediction, want.prediction, PROMPTS * TOKENS / 2),
              CASES[c].predictions, CASES[c].least);
        check("gradients", c,
              apart(got.gradient.block, want.gradient.block, params_count(&REGRESSION)),
              CASES[c].gradients, 0);
        results_free(&got);
    }
    results_free(&want);
    params_destroy(&p);
}

/* After an update, and after the arithmetic is released: the bits of f32 by OpenBLAS again. */
static void new_weights_are_used(void **state) {
    (void)state;
    struct params p = tiny_params(&REGRESSION);
    struct results want, got;
    use_or_skip(&p, &CASES[0].use);
    const size_t weights = params_count(&REGRESSION);
    for (size_t i = 0; i < weights; i++) p.block[i] *= 0.5f;
    SUCCEEDS(model_products_refresh(&p, &err));
    run_regression(&got, &p);
    model_products_release(&p);
    run_regression(&want, &p);
    check("predictions", 0, apart(got.prediction, want.prediction, PROMPTS * TOKENS / 2), 1e-4,
          1e-9);
    params_destroy(&p);
    results_free(&want), results_free(&got);
}

/* ---- contexts: a prompt has its bits, whichever prompts run with it */

static void contexts_of_groups(void **state) {
    enum { N = 9, LENGTH = 41 };
    static const struct edits none;
    (void)state;
    struct params p = tiny_params(&REGRESSION);
    for (size_t c = 0; c < N_CASES; c++) {
        struct context context[2];
        struct pair tokens = pair_normals((size_t)N * LENGTH * REGRESSION.inputs, 1, 1.0);
        use_or_skip(&p, &CASES[c].use);
        for (size_t k = 0; k < 2; k++) { /* one prompt at a time, then in groups */
            struct context_scratch *s;
            SUCCEEDS(context_create(&context[k], &REGRESSION, N, LENGTH, CONTEXT_SINGLE, &err));
            SUCCEEDS(context_scratch_create(&s, &REGRESSION, k == 0 ? 1 : N, LENGTH, &err));
            for (size_t b = 0; b < N; b++)
                context_add(&context[k], b, s, &p, tokens.f + b * LENGTH * REGRESSION.inputs,
                            LENGTH, &none);
            context_finish(&context[k], s, &p, &none);
            context_scratch_destroy(s);
        }
        assert_memory_equal(context[0].kv, context[1].kv,
                            context_bytes(&REGRESSION, N, LENGTH, CONTEXT_SINGLE) / ARENA_ALIGN *
                                ARENA_ALIGN);
        context_destroy(&context[0]), context_destroy(&context[1]);
        model_products_release(&p);
        pair_free(&tokens);
    }
    params_destroy(&p);
}

/* ---- language models: rows through all layers, and the answers over the vocabulary */

struct answers {
    double loss;
    float *dx;
    struct params gradient;
};

static void run_answers(struct answers *out, const struct params *p) {
    const struct model_dims *d = &p->dims;
    struct vocabulary v;
    struct pair x = pair_normals((size_t)ROWS * d->E, 3, 1.0);
    uint32_t target[ROWS];
    for (uint32_t r = 0; r < ROWS; r++) target[r] = r * 5 % (uint32_t)d->vocabulary;
    SUCCEEDS(params_create(&out->gradient, d, &err));
    SUCCEEDS(vocabulary_create(&v, d, ROWS, true, &err));
    out->dx = calloc(ROWS * d->E, sizeof *out->dx);
    assert_non_null(out->dx);
    out->loss =
        vocabulary_cross_entropy(out->dx, &out->gradient, &v, p, x.f, target, 1.0 / ROWS, ROWS);
    vocabulary_destroy(&v);
    pair_free(&x);
}

static void answers_free(struct answers *a) {
    free(a->dx);
    params_destroy(&a->gradient);
}

static void answers_over_a_vocabulary(void **state) {
    (void)state;
    for (size_t c = 0; c < N_CASES; c++) {
        struct model_dims d = TINY_FAMILIES[c % 2 == 0 ? 0 : 6].dims; /* tied, and with a head */
        struct answers want, got;
        d.vocabulary = VOCABULARY_TILE + 77;
        struct params p = tiny_params(&d);
        run_answers(&want, &p);
        use_or_skip(&p, &CASES[c].use);
        run_answers(&got, &p);
        check("loss", c, fabs(got.loss - want.loss) / want.loss, CASES[c].predictions, 0);
        check("gradient of rows", c, apart(got.dx, want.dx, ROWS * d.E), CASES[c].gradients, 0);
        check("gradient of weights", c,
              apart(got.gradient.block, want.gradient.block, params_count(&d)), CASES[c].gradients,
              0);
        answers_free(&want), answers_free(&got);
        params_destroy(&p);
    }
}

/* Query, key and value matrices of their own, gates, norms of heads: the keys and values. */
static void every_family(void **state) {
    enum { LENGTH = 9 };
    static const struct edits none;
    (void)state;
    for (size_t f = 0; f < TINY_FAMILY_COUNT; f++) {
        const struct model_dims *d = &TINY_FAMILIES[f].dims;
        struct params p = tiny_params(d);
        struct context context[2];
        uint32_t ids[LENGTH];
        for (uint32_t t = 0; t < LENGTH; t++) ids[t] = 3 * t % (uint32_t)d->vocabulary;
        for (size_t k = 0; k < 2; k++) {
            struct context_scratch *s;
            if (k == 1) use_or_skip(&p, &CASES[0].use);
            SUCCEEDS(context_create(&context[k], d, 1, LENGTH, CONTEXT_SINGLE, &err));
            SUCCEEDS(context_scratch_create(&s, d, 1, LENGTH, &err));
            context_add_ids(&context[k], 0, s, &p, ids, LENGTH, &none);
            context_finish(&context[k], s, &p, &none);
            context_scratch_destroy(s);
        }
        const size_t n = context_layout_stride(&context[0].layout) / sizeof(float);
        for (size_t l = 0; l < d->L; l++)
            FAMILY_CLOSE(apart(context_slot(&context[1], l, 0), context_slot(&context[0], l, 0), n),
                         1e-4, TINY_FAMILIES[f].title);
        context_destroy(&context[0]), context_destroy(&context[1]);
        params_destroy(&p);
    }
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(predictions_and_gradients),
        cmocka_unit_test(new_weights_are_used),
        cmocka_unit_test(contexts_of_groups),
        cmocka_unit_test(answers_over_a_vocabulary),
        cmocka_unit_test(every_family),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
