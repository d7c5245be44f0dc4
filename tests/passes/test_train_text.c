/* The loss of pretraining on token ids and all its weight gradients, for every family, against the
 * double-precision reference; parts of a batch; what is counted as correct. */
#include "passes/train_text.h"

#include <math.h>

#include "model/tiny_families.h"
#include "ops/blas.h"

static struct err err;

enum { N = 3, NONE = -1 };

/* Prompts of 5, 7 and 2 tokens with answers of 2, 1 and 3; next: a shown answer of one token, one
 * of two, and none. */
static const uint32_t IDS[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 2, 3, 4};
static const size_t FIRST[] = {0, 5, 12, 14}, ANSWER_FIRST[] = {0, 2, 3, 6};
static const uint32_t ANSWERS[] = {7, 8, 0, 12, 1, 5};
static const int32_t NEXT[] = {NONE, 3,    NONE, NONE, NONE, NONE, 8,
                               9,    NONE, NONE, NONE, NONE, NONE, NONE};
enum { TRAINED = 3 + 6 };

static struct prompt_view prompts(void) {
    return (struct prompt_view){.n = N,
                                .points = 2,
                                .text = {.ids = IDS,
                                         .first = FIRST,
                                         .answers = ANSWERS,
                                         .answer_first = ANSWER_FIRST,
                                         .next = (const uint32_t *)NEXT}};
}

/* ---- the reference: every prompt with its answer behind it */

struct scene {
    struct params p;
    struct model_twin twin;
};

static double surprise(const double *logits, size_t V, uint32_t target) {
    double sum = 0;
    for (size_t v = 0; v < V; v++) sum += exp(logits[v] - logits[target]);
    return log(sum);
}

static double twin_loss(void *context) {
    struct scene *s = context;
    const size_t V = s->p.dims.vocabulary;
    double sum = 0;
    for (size_t i = 0; i < N; i++) {
        const size_t n = FIRST[i + 1] - FIRST[i], m = ANSWER_FIRST[i + 1] - ANSWER_FIRST[i];
        uint32_t ids[16];
        memcpy(ids, IDS + FIRST[i], n * sizeof *ids);
        memcpy(ids + n, ANSWERS + ANSWER_FIRST[i], m * sizeof *ids);
        model_twin_run_ids(&s->twin, ids, n + m);
        for (size_t t = 0; t + 1 < n; t++)
            if (NEXT[FIRST[i] + t] != NONE)
                sum += surprise(s->twin.prediction + t * V, V, ids[t + 1]);
        for (size_t t = n - 1; t + 1 < n + m; t++)
            sum += surprise(s->twin.prediction + t * V, V, ids[t + 1]);
    }
    return sum / TRAINED;
}

static void loss_and_gradients_equal_the_twin(void **state) {
    (void)state;
    const struct prompt_view all = prompts();
    assert_int_equal(train_text_answers(&all), TRAINED);
    for (size_t f = 0; f < TINY_FAMILY_COUNT; f++) {
        const struct model_dims *d = &TINY_FAMILIES[f].dims;
        struct scene s = {.p = tiny_params(d)};
        struct params g;
        struct train_text step;
        s.twin = model_twin_create(&s.p);
        SUCCEEDS(params_create(&g, d, &err));
        SUCCEEDS(train_text_create(&step, d, N, &err));
        const double loss = train_text_run(&g, &step, &s.p, &all, 1.0 / TRAINED);
        FAMILY_CLOSE(fabs(loss - twin_loss(&s)) / loss, 1e-5, TINY_FAMILIES[f].title);
        FAMILY_CLOSE(fabs(train_text_loss(&step, &s.p, &all, 1.0 / TRAINED) - loss) / loss, 1e-6,
                     TINY_FAMILIES[f].title);
        for (size_t i = 0; i < params_tensors(d); i++)
            tiny_compare_gradient(&g, &s.twin, i, twin_loss, &s, 40, 19);
        train_text_destroy(&step);
        params_destroy(&g), params_destroy(&s.p);
        model_twin_destroy(&s.twin);
    }
}

static void parts_add_up(void **state) {
    (void)state;
    const struct prompt_view all = prompts();
    const struct model_dims *d = &TINY_FAMILIES[6].dims;
    struct params p = tiny_params(d), whole, parts;
    struct train_text step;
    double sum = 0, scale = 0, worst = 0;
    SUCCEEDS(params_create(&whole, d, &err));
    SUCCEEDS(params_create(&parts, d, &err));
    SUCCEEDS(train_text_create(&step, d, N, &err));
    const double loss = train_text_run(&whole, &step, &p, &all, 1.0 / TRAINED);
    for (size_t i = 0; i < N; i++) {
        const struct prompt_view one = prompt_view_part(&all, i, 1);
        sum += train_text_run(&parts, &step, &p, &one, 1.0 / TRAINED);
    }
    CLOSE(fabs(sum - loss) / loss, 1e-6);
    for (size_t i = 0; i < params_count(d); i++) {
        scale = fmax(scale, fabs((double)whole.block[i]));
        worst = fmax(worst, fabs((double)whole.block[i] - (double)parts.block[i]));
    }
    CLOSE(worst / scale, 1e-5);
    const struct prompt_view none = prompt_view_part(&all, 1, 0);
    assert_true(train_text_run(&parts, &step, &p, &none, 1) == 0);
    train_text_destroy(&step);
    params_destroy(&whole), params_destroy(&parts), params_destroy(&p);
}

/* A model that ignores its input and always prefers token 8: one shown answer and the second token
 * of the first answer are 8; with token 7 preferred, the first query is answered. */
static void correct_answers_are_counted(void **state) {
    (void)state;
    const struct prompt_view all = prompts();
    const struct tiny_family *gptj = &TINY_FAMILIES[3]; /* its output has a bias */
    struct params p;
    struct train_text step;
    const struct {
        uint32_t preferred;
        size_t correct, queries;
    } cases[] = {{8, 2, 0}, {7, 1, 1}, {0, 1, 1}, {6, 0, 0}, {5, 1, 0}};
    SUCCEEDS(params_create(&p, &gptj->dims, &err));
    SUCCEEDS(train_text_create(&step, &gptj->dims, N, &err));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        p.head_b[cases[i].preferred] = 1;
        (void)train_text_loss(&step, &p, &all, 1);
        assert_int_equal(step.score.correct, cases[i].correct);
        assert_int_equal(step.score.queries, cases[i].queries);
        p.head_b[cases[i].preferred] = 0;
    }
    train_text_destroy(&step);
    params_destroy(&p);
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_and_gradients_equal_the_twin),
        cmocka_unit_test(parts_add_up),
        cmocka_unit_test(correct_answers_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
