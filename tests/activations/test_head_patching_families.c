/* Patching of heads in every family of language models, with one key-value head for each head or
 * fewer, and heads whose widths add up to E or not: the logits change, are those of the
 * double-precision twin, and no other slice of z does. */
#include <math.h>
#include <stdlib.h>

#include "activations/head_patching.h"
#include "model/context_pass.h"
#include "model/tiny_families.h"
#include "ops/blas.h"

enum { PROMPTS = 2, SEEN = 7, ROWS = 3, HEADS = 4, LAYERS = 2 };

static struct err err;
static const double CONSTANT = 0.75;

/* Row r is token length[r] of prompt slot[r]. */
static const uint32_t SLOT[ROWS] = {0, 1, 0}, LENGTH[ROWS] = {7, 5, 2};

struct scene {
    const char *title;
    struct params p;
    struct model_twin twin;
    struct context context;
    struct head_patching pass;
    struct pair values; /* [LAYERS, H D] the constant */
    uint32_t ids[PROMPTS][SEEN + 1], own[ROWS];
    float *states; /* [LAYERS, HEADS, ROWS, E] */
};

static void fill_contexts(struct scene *s) {
    struct context_scratch *scratch = NULL;
    const struct edits none = {0};
    SUCCEEDS(context_create(&s->context, &s->p.dims, PROMPTS, SEEN, CONTEXT_SINGLE, &err));
    SUCCEEDS(context_scratch_create(&scratch, &s->p.dims, PROMPTS, SEEN, &err));
    for (size_t b = 0; b < PROMPTS; b++)
        context_add_ids(&s->context, b, scratch, &s->p, s->ids[b], SEEN, &none);
    context_finish(&s->context, scratch, &s->p, &none);
    context_scratch_destroy(scratch);
}

static void scene_init(struct scene *s, const struct tiny_family *f) {
    const struct model_dims *d = &f->dims;
    assert_true(d->H == HEADS && d->L == LAYERS);
    *s = (struct scene){.title = f->title, .p = tiny_params(d)};
    s->twin = model_twin_create(&s->p);
    for (size_t i = 0; i < PROMPTS * (SEEN + 1); i++)
        s->ids[i / (SEEN + 1)][i % (SEEN + 1)] = (uint32_t)((5 * i + i / 3) % d->vocabulary);
    for (size_t r = 0; r < ROWS; r++) s->own[r] = s->ids[SLOT[r]][LENGTH[r]];
    s->values = pair_filled(LAYERS * model_heads_width(d), CONSTANT);
    s->states = calloc(LAYERS * HEADS * ROWS * d->E, sizeof *s->states);
    assert_non_null(s->states);
    fill_contexts(s);
    SUCCEEDS(head_patching_create(&s->pass, d, ROWS, SEEN, &err));
    const struct query_rows rows = {.R = ROWS, .slot = SLOT, .length = LENGTH, .ids = s->own};
    head_patching_begin(&s->pass, &s->p, &s->context, &rows);
}

static void scene_free(struct scene *s) {
    head_patching_destroy(&s->pass);
    context_destroy(&s->context);
    model_twin_destroy(&s->twin);
    params_destroy(&s->p);
    pair_free(&s->values);
    free(s->states);
}

static struct basis values_of(const struct scene *s) {
    return (struct basis){.R = 1, .stride = 1, .part = {s->values.f}};
}

/* The twin's logits of row r, with head h of layer l patched if there is a patch. */
static const double *twin_row(struct scene *s, size_t r, const struct twin_patch *patch) {
    s->twin.patches = patch;
    s->twin.n_patches = patch != NULL;
    model_twin_run_ids(&s->twin, s->ids[SLOT[r]], LENGTH[r] + 1);
    return s->twin.prediction + LENGTH[r] * s->p.dims.vocabulary;
}

/* The largest difference of two rows of logits over the largest of the second. */
static double difference(const float *a, const float *b, size_t n) {
    struct pair second = pair_filled(n, 0);
    for (size_t i = 0; i < n; i++) second.d[i] = (double)b[i];
    const double worst = relative_error(a, second.d, n);
    pair_free(&second);
    return worst;
}

static void compare_logits(struct scene *s, size_t l, size_t h) {
    const struct model_dims *d = &s->p.dims;
    const size_t D = model_head_width(d), V = d->vocabulary;
    float *base = tiny_logits(&s->p, query_output(&s->pass.base), ROWS);
    float *patched = tiny_logits(&s->p, s->states + (l * HEADS + h) * ROWS * d->E, ROWS);
    for (size_t r = 0; r < ROWS; r++) {
        const struct twin_patch patch = {.site = 'z',
                                         .layer = l,
                                         .token = LENGTH[r],
                                         .from = h * D,
                                         .n = D,
                                         .scale = 1,
                                         .values = s->values.d};
        FAMILY_CLOSE(relative_error(base + r * V, twin_row(s, r, NULL), V), 2e-5, s->title);
        FAMILY_CLOSE(relative_error(patched + r * V, twin_row(s, r, &patch), V), 2e-5, s->title);
        if (difference(patched + r * V, base + r * V, V) < 1e-4)
            fail_msg("%s: layer %zu, head %zu: patching does not change the logits", s->title, l,
                     h);
    }
    free(base);
    free(patched);
}

static void every_head_changes_the_logits(void **state) {
    (void)state;
    for (size_t i = 0; i < TINY_FAMILY_COUNT; i++) {
        struct scene s;
        scene_init(&s, &TINY_FAMILIES[i]);
        const struct basis values = values_of(&s);
        head_patching_all(s.states, &s.pass, &values, EDIT_HEADS);
        for (size_t l = 0; l < LAYERS; l++)
            for (size_t h = 0; h < HEADS; h++) compare_logits(&s, l, h);
        scene_free(&s);
    }
}

/* z of a patched row: the slice of its head is the constant, all others are those without a patch.
 */
static void check_slices(struct scene *s, size_t l, size_t h) {
    const struct model_dims *d = &s->p.dims;
    const size_t D = model_head_width(d), Z = model_heads_width(d);
    const struct query *base = &s->pass.base, *copies = &s->pass.copies;
    const struct basis values = values_of(s);
    head_patching_heads(s->states, &s->pass, &values, EDIT_HEADS, l, h, 1);
    for (size_t r = 0; r < ROWS; r++) {
        const float *z = copies->z + (l * copies->capacity + r) * Z;
        const float *clean = base->z + (l * base->capacity + r) * Z;
        for (size_t j = 0; j < Z; j++) {
            const float want = j / D == h ? (float)CONSTANT : clean[j];
            if (memcmp(&z[j], &want, sizeof want) != 0)
                fail_msg("%s: layer %zu, head %zu: z[%zu] of row %zu is %g, not %g", s->title, l, h,
                         j, r, (double)z[j], (double)want);
        }
    }
}

static void only_the_slice_of_the_head_changes(void **state) {
    (void)state;
    for (size_t i = 0; i < TINY_FAMILY_COUNT; i++) {
        struct scene s;
        scene_init(&s, &TINY_FAMILIES[i]);
        for (size_t l = 0; l < LAYERS; l++)
            for (size_t h = 0; h < HEADS; h++) check_slices(&s, l, h);
        scene_free(&s);
    }
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_head_changes_the_logits),
        cmocka_unit_test(only_the_slice_of_the_head_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
