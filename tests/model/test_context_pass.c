/* Prompts of token ids of different lengths in one pass: contexts and captured activations are
 * those of each prompt alone, and of the full forward pass. */
#include "model/context_pass.h"

#include <stdlib.h>

#include "model/forward.h"
#include "model/tiny_families.h"
#include "ops/blas.h"

enum { PROMPTS = 9, LONGEST = 130, NAMED = 3 };

static const uint32_t LENGTH[PROMPTS] = {7, 130, 64, 31, 8, 100, 101, 130, 12};
static struct err err;
static const struct edits NONE;

struct scene {
    struct model_dims d;
    struct params p;
    uint32_t ids[PROMPTS][LONGEST], at[PROMPTS][NAMED];
    struct context_scratch *scratch;
};

static void scene_init(struct scene *s, const struct model_dims *dims) {
    s->d = *dims;
    s->d.positions = LONGEST + 1;
    s->p = tiny_params(&s->d);
    for (size_t b = 0; b < PROMPTS; b++) {
        for (size_t t = 0; t < LONGEST; t++)
            s->ids[b][t] = (uint32_t)((3 * t + t / 7 + 5 * b) % s->d.vocabulary);
        s->at[b][0] = LENGTH[b] - 1, s->at[b][1] = 0, s->at[b][2] = LENGTH[b] / 2;
    }
    SUCCEEDS(context_scratch_create(&s->scratch, &s->d, PROMPTS, LONGEST, &err));
}

static void scene_release(struct scene *s) {
    context_scratch_destroy(s->scratch);
    params_destroy(&s->p);
}

/* The scratch is one for n prompts at once. */
static void hold_prompts(struct scene *s, size_t n) {
    context_scratch_destroy(s->scratch);
    SUCCEEDS(context_scratch_create(&s->scratch, &s->d, n, LONGEST, &err));
}

static void add(struct context *c, struct scene *s, size_t b) {
    context_add_ids(c, b, s->scratch, &s->p, s->ids[b], LENGTH[b], &NONE);
}

static size_t width_of(const struct model_dims *d) {
    return d->E > model_heads_width(d) ? d->E : model_heads_width(d);
}

/* Floats of a captured array, with room for z and for a. */
static size_t capture_floats(const struct model_dims *d) {
    return d->L * PROMPTS * NAMED * width_of(d);
}

static struct context_capture capture_create(const struct scene *s) {
    const size_t n = capture_floats(&s->d);
    float *all = calloc(3 * n, sizeof *all);
    assert_non_null(all);
    return (struct context_capture){PROMPTS, NAMED, s->at[0], all, all + n, all + 2 * n};
}

/* ---- one pass and one prompt at a time */

static void a_prompt_has_its_bits(const struct tiny_family *family) {
    struct scene s;
    struct context all, alone;
    scene_init(&s, &family->dims);
    const struct context_capture together = capture_create(&s), single = capture_create(&s);
    SUCCEEDS(context_create(&all, &s.d, PROMPTS, LONGEST, CONTEXT_SINGLE, &err));
    SUCCEEDS(context_create(&alone, &s.d, PROMPTS, LONGEST, CONTEXT_SINGLE, &err));
    context_scratch_capture(s.scratch, &together);
    for (size_t b = 0; b < PROMPTS; b++) add(&all, &s, b);
    context_finish(&all, s.scratch, &s.p, &NONE);
    hold_prompts(&s, 1);
    context_scratch_capture(s.scratch, &single);
    for (size_t b = PROMPTS; b-- > 0;) {
        add(&alone, &s, b);
        context_finish(&alone, s.scratch, &s.p, &NONE);
    }
    const size_t bytes = context_layout_stride(&all.layout) * PROMPTS * s.d.L;
    if (memcmp(all.kv, alone.kv, bytes) != 0) fail_msg("%s: contexts differ", family->title);
    if (memcmp(together.z, single.z, 3 * capture_floats(&s.d) * sizeof(float)) != 0)
        fail_msg("%s: captures differ", family->title);
    hold_prompts(&s, 3);
    memset(alone.kv, 0, bytes);
    for (size_t b = 0; b < PROMPTS; b++) add(&alone, &s, b);
    context_finish(&alone, s.scratch, &s.p, &NONE);
    if (memcmp(all.kv, alone.kv, bytes) != 0) fail_msg("%s: three at once differ", family->title);
    free(together.z), free(single.z);
    context_destroy(&all), context_destroy(&alone);
    scene_release(&s);
}

static void other_prompts_change_no_bit(void **state) {
    (void)state;
    for (size_t i = 0; i < TINY_FAMILY_COUNT; i++) a_prompt_has_its_bits(&TINY_FAMILIES[i]);
}

/* Wide enough for the kernels of large products. */
static void other_prompts_change_no_bit_of_a_wide_model(void **state) {
    static const struct tiny_family wide = {"wide Llama",
                                            {.L = 2,
                                             .H = 6,
                                             .KV = 2,
                                             .D = 24,
                                             .E = 144,
                                             .F = 200,
                                             .vocabulary = 30,
                                             .positions = 16,
                                             .epsilon = 1e-5f,
                                             .family = &family_llama,
                                             .rotary = TINY_ROTARY(24),
                                             .activation = ACTIVATION_SILU}};
    (void)state;
    a_prompt_has_its_bits(&wide);
}

static void few_short_prompts_take_little_memory(void **state) {
    (void)state;
    struct model_dims wide = TINY_FAMILIES[0].dims, *d = &wide;
    wide.E = 1024;
    const size_t one = context_scratch_bytes(d, 1, 12), many = context_scratch_bytes(d, 100, 12);
    assert_true(3 * one < many && 3 * context_scratch_bytes(d, 4, 12) < many);
    assert_int_equal(context_scratch_bytes(d, 1000, 12), many); /* no more run at once */
}

/* ---- the full forward pass */

/* Captured rows [L, PROMPTS, NAMED, width] of prompt b at layer l, and the rows of a full pass. */
static void compare_rows(const float *captured, const float *rows, const struct scene *s, size_t l,
                         size_t b, size_t width, const char *title) {
    for (size_t i = 0; i < NAMED; i++) {
        const float *got = captured + ((l * PROMPTS + b) * NAMED + i) * width;
        struct pair want = pair_filled(width, 0);
        for (size_t j = 0; j < width; j++) want.d[j] = (double)rows[s->at[b][i] * width + j];
        FAMILY_CLOSE(relative_error(got, want.d, width), 2e-6, title);
        pair_free(&want);
    }
}

static void captures_are_those_of(const struct tiny_family *family) {
    struct scene s;
    struct forward f;
    scene_init(&s, &family->dims);
    const struct context_capture c = capture_create(&s);
    context_scratch_capture(s.scratch, &c);
    for (size_t b = 0; b < PROMPTS; b++) add(NULL, &s, b);
    context_finish(NULL, s.scratch, &s.p, &NONE);
    SUCCEEDS(forward_create_tokens(&f, &s.d, 1, LONGEST, LONGEST, false, &err));
    for (size_t b = 0; b < PROMPTS; b++) {
        forward_run_ids(&f, &s.p, &(struct forward_ids){1, &LENGTH[b], s.ids[b]});
        for (size_t l = 0; l < s.d.L; l++) {
            const struct forward_layer *layer = &f.layers[l];
            compare_rows(c.z, layer->z, &s, l, b, model_heads_width(&s.d), family->title);
            compare_rows(c.a, layer->a, &s, l, b, s.d.E, family->title);
            compare_rows(c.x, forward_x(&f, l + 1), &s, l, b, s.d.E, family->title);
        }
    }
    free(c.z);
    forward_destroy(&f);
    scene_release(&s);
}

static void captures_equal_the_full_pass(void **state) {
    (void)state;
    for (size_t i = 0; i < TINY_FAMILY_COUNT; i += 2) captures_are_those_of(&TINY_FAMILIES[i]);
}

/* z of the last block needs nothing after it, and nothing after it is written. */
static void heads_alone_are_captured_too(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, &TINY_FAMILIES[7].dims);
    struct context_capture all = capture_create(&s), heads = capture_create(&s);
    context_scratch_capture(s.scratch, &all);
    for (size_t b = 0; b < PROMPTS; b++) add(NULL, &s, b);
    context_finish(NULL, s.scratch, &s.p, &NONE);
    float *a = heads.a;
    heads.a = heads.x = NULL;
    context_scratch_capture(s.scratch, &heads);
    for (size_t b = 0; b < PROMPTS; b++) add(NULL, &s, b);
    context_finish(NULL, s.scratch, &s.p, &NONE);
    const size_t n = s.d.L * PROMPTS * NAMED * model_heads_width(&s.d);
    assert_memory_equal(all.z, heads.z, n * sizeof *a);
    for (size_t i = 0; i < 2 * capture_floats(&s.d); i++) assert_true(a[i] == 0);
    free(all.z), free(heads.z);
    scene_release(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_prompts_change_no_bit),
        cmocka_unit_test(other_prompts_change_no_bit_of_a_wide_model),
        cmocka_unit_test(few_short_prompts_take_little_memory),
        cmocka_unit_test(captures_equal_the_full_pass),
        cmocka_unit_test(heads_alone_are_captured_too),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
