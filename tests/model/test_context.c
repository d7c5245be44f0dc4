#include "model/context.h"

#include <math.h>

#include "model/context_pass.h"
#include "model/query.h"
#include "model/tiny.h"
#include "ops/blas.h"
#include "ops/context_attention.h"
#include "twins/context_fill.h"

enum { TOKENS = 12, PROMPTS = 4 };

static struct err err;
static const struct edits NONE;

struct scene {
    struct params p;
    struct pair tokens; /* [PROMPTS, TOKENS, inputs] */
    struct context_scratch *scratch;
};

static struct scene scene_new(void) {
    struct scene s = {.p = tiny_params(&TINY)};
    s.tokens = pair_normals(PROMPTS * TOKENS * TINY.inputs, 1, 1.0);
    SUCCEEDS(context_scratch_create(&s.scratch, &TINY, PROMPTS, TOKENS, &err));
    return s;
}

static void scene_free(struct scene *s) {
    context_scratch_destroy(s->scratch);
    context_scratch_destroy(NULL);
    params_destroy(&s->p);
    pair_free(&s->tokens);
}

static void fill(struct context *c, size_t slot, const struct scene *s, size_t prompt, size_t n) {
    const float *tokens = s->tokens.f + prompt * TOKENS * TINY.inputs;
    context_fill(c, slot, s->scratch, &s->p, tokens, n, &NONE);
}

static void same_slot(const struct context *a, size_t i, const struct context *b, size_t j) {
    const size_t n = context_layout_stride(&a->layout);
    for (size_t l = 0; l < TINY.L; l++) {
        const unsigned char *in_a = context_layer(a, l), *in_b = context_layer(b, l);
        assert_memory_equal(in_a + i * n, in_b + j * n, n);
    }
}

static void a_slot_depends_on_its_prompt_alone(void **state) {
    (void)state;
    struct scene s = scene_new();
    struct context alone, all, reversed;
    SUCCEEDS(context_create(&all, &TINY, PROMPTS, TOKENS, CONTEXT_SINGLE, &err));
    SUCCEEDS(context_create(&reversed, &TINY, PROMPTS + 3, TOKENS, CONTEXT_SINGLE, &err));
    for (size_t i = 0; i < PROMPTS; i++) fill(&all, i, &s, i, TOKENS);
    for (size_t i = PROMPTS; i-- > 0;) fill(&reversed, PROMPTS - i, &s, i, TOKENS);
    for (size_t i = 0; i < PROMPTS; i++) {
        SUCCEEDS(context_create(&alone, &TINY, 1, TOKENS, CONTEXT_SINGLE, &err));
        fill(&alone, 0, &s, i, TOKENS);
        same_slot(&alone, 0, &all, i);
        same_slot(&alone, 0, &reversed, PROMPTS - i);
        fill(&all, i, &s, i, TOKENS); /* again */
        same_slot(&alone, 0, &all, i);
        context_destroy(&alone);
    }
    context_destroy(&all);
    context_destroy(&reversed);
    scene_free(&s);
}

/* Prompts that run together, and the rest that runs alone, have the bits of a prompt that runs
 * alone. Whether products agree depends on the kernel and the sizes, so several sizes are tried. */
static void together_as_alone(size_t n_tokens, size_t width, size_t at_once) {
    enum { MANY = 45, LONGEST = 84 };
    const struct model_dims d = {
        .L = 2, .H = 4, .E = width, .inputs = 3, .positions = 96, .epsilon = 1e-5f};
    struct params p = tiny_params(&d);
    struct pair tokens = pair_normals(MANY * n_tokens * d.inputs + 1, 3, 1.0);
    struct context all, alone;
    struct context_scratch *scratch;
    SUCCEEDS(context_create(&all, &d, MANY, LONGEST, CONTEXT_SINGLE, &err));
    SUCCEEDS(context_create(&alone, &d, MANY, LONGEST, CONTEXT_SINGLE, &err));
    SUCCEEDS(context_scratch_create(&scratch, &d, at_once, LONGEST, &err));
    for (size_t i = 0; i < MANY; i++)
        context_add(&all, i, scratch, &p, tokens.f + i * n_tokens * d.inputs, n_tokens, &NONE);
    context_finish(&all, scratch, &p, &NONE);
    for (size_t i = MANY; i-- > 0;)
        context_fill(&alone, i, scratch, &p, tokens.f + i * n_tokens * d.inputs, n_tokens, &NONE);
    for (size_t l = 0; l < d.L; l++)
        assert_memory_equal(context_layer(&all, l), context_layer(&alone, l),
                            MANY * context_layout_stride(&all.layout));
    context_scratch_destroy(scratch);
    context_destroy(&all), context_destroy(&alone);
    params_destroy(&p);
    pair_free(&tokens);
}

static void running_together_changes_no_bit(void **state) {
    (void)state;
    together_as_alone(0, 64, 45);
    together_as_alone(1, 64, 45);
    for (size_t at_once = 1; at_once <= 5; at_once++) together_as_alone(30, 64, at_once);
    together_as_alone(12, 64, 45); /* 32, 8, 4 and 1 at once */
    together_as_alone(30, 64, 45);
    together_as_alone(80, 64, 7);
    together_as_alone(84, 256, 45);
}

static float predict(const struct context *c, const struct scene *s, uint32_t length) {
    struct query q;
    const uint32_t slot = 0;
    const float x[3] = {0.5f, -1.0f, 2.0f};
    SUCCEEDS(query_create(&q, &TINY, 1, TOKENS, false, &err));
    query_forward(&q, &s->p, c,
                  &(struct query_rows){.R = 1, .slot = &slot, .length = &length, .x = x}, &NONE);
    const float y = q.prediction[0];
    query_destroy(&q);
    return y;
}

/* What remains of a longer prompt in the slot is not read. */
static void a_slot_is_used_again_for_a_shorter_prompt(void **state) {
    (void)state;
    struct scene s = scene_new();
    struct context fresh, used;
    SUCCEEDS(context_create(&fresh, &TINY, 1, TOKENS, CONTEXT_SINGLE, &err));
    SUCCEEDS(context_create(&used, &TINY, 1, TOKENS, CONTEXT_SINGLE, &err));
    fill(&used, 0, &s, 1, TOKENS);
    for (uint32_t n = 0; n < TOKENS; n++) {
        fill(&fresh, 0, &s, 0, n);
        fill(&used, 0, &s, 0, n);
        const float a = predict(&fresh, &s, n), b = predict(&used, &s, n);
        assert_memory_equal(&a, &b, sizeof a);
    }
    context_destroy(&fresh);
    context_destroy(&used);
    scene_free(&s);
}

/* Predictions from contexts in halves differ, but agree to about three digits. */
static void contexts_in_halves_are_close(void **state) {
    (void)state;
    struct scene s = scene_new();
    struct context single, half;
    bool differ = false;
    SUCCEEDS(context_create(&single, &TINY, 1, TOKENS, CONTEXT_SINGLE, &err));
    SUCCEEDS(context_create(&half, &TINY, 1, TOKENS, CONTEXT_HALF, &err));
    for (size_t i = 0; i < PROMPTS; i++) {
        fill(&single, 0, &s, i, TOKENS);
        fill(&half, 0, &s, i, TOKENS);
        for (uint32_t n = 0; n <= TOKENS; n++) {
            const float a = predict(&single, &s, n), b = predict(&half, &s, n);
            const double error = fabs((double)(a - b)) / fmax(1.0, fabs((double)a));
            CLOSE(error, 1e-3);
            differ = differ || error > 1e-6;
            if (n == 0) assert_memory_equal(&a, &b, sizeof a);
        }
    }
    assert_true(differ);
    context_destroy(&single);
    context_destroy(&half);
    scene_free(&s);
}

static void memory_is_as_predicted(void **state) {
    (void)state;
    struct context c;
    SUCCEEDS(context_create(&c, &TINY, 5, TOKENS, CONTEXT_SINGLE, &err));
    assert_int_equal(c.memory.size, context_bytes(&TINY, 5, TOKENS, CONTEXT_SINGLE));
    assert_true(context_bytes(&TINY, 5, TOKENS, CONTEXT_SINGLE) >=
                4 * TINY.L * 5 * 2 * TOKENS * TINY.E);
    context_destroy(&c);
    context_destroy(&c);
    const size_t half = context_bytes(&TINY, 5, TOKENS, CONTEXT_HALF);
    SUCCEEDS(context_create(&c, &TINY, 5, TOKENS, CONTEXT_HALF, &err));
    assert_int_equal(c.memory.size, half);
    const size_t single = context_bytes(&TINY, 5, TOKENS, CONTEXT_SINGLE);
    assert_true(2 * half - single <=
                256); /* the poisoned zones of the arena under AddressSanitizer */
    context_destroy(&c);
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slot_depends_on_its_prompt_alone),
        cmocka_unit_test(running_together_changes_no_bit),
        cmocka_unit_test(a_slot_is_used_again_for_a_shorter_prompt),
        cmocka_unit_test(contexts_in_halves_are_close),
        cmocka_unit_test(memory_is_as_predicted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
