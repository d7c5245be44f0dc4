#include "activations/head_patching.h"

#include <stdlib.h>

#include "model/query_scene.h"
#include "ops/blas.h"

enum { HEADS = 2, LAYERS = 3, MANY = 300 }; /* MANY rows: more than one pass takes */

static struct err err;

/* MANY rows over the scene's contexts. */
struct crowd {
    struct scene s;
    struct head_patching pass;
    struct pair x, values; /* values [2, LAYERS, MANY, E]: z, then a */
    uint32_t slot[MANY], length[MANY];
    struct query_rows rows;
    float *prediction; /* [LAYERS, HEADS, MANY] */
};

static void crowd_init(struct crowd *c) {
    assert_true(TINY.H == HEADS && TINY.L == LAYERS);
    *c = (struct crowd){0};
    scene_init(&c->s, false);
    c->x = pair_normals(MANY * TINY.inputs, 41, 1.0);
    c->values = pair_normals(2 * LAYERS * MANY * TINY.E, 42, 0.5);
    for (uint32_t r = 0; r < MANY; r++) {
        c->slot[r] = r / 7 % SLOTS;
        c->length[r] = 2 * (r % LENGTHS);
    }
    c->rows = (struct query_rows){.R = MANY, .slot = c->slot, .length = c->length, .x = c->x.f};
    c->prediction = calloc(LAYERS * HEADS * MANY, sizeof *c->prediction);
    assert_non_null(c->prediction);
    SUCCEEDS(head_patching_create(&c->pass, &TINY, MANY, TOKENS, &err));
}

static void crowd_free(struct crowd *c) {
    head_patching_destroy(&c->pass);
    free(c->prediction);
    pair_free(&c->values), pair_free(&c->x);
    scene_free(&c->s);
}

static struct basis values_of(const struct crowd *c, size_t R) {
    return (struct basis){
        .R = R, .stride = MANY, .part = {c->values.f, c->values.f + LAYERS * MANY * TINY.E}};
}

/* The prediction of row r by the reference model, unedited or with one slice of z or a replaced. */
static double twin_prediction(struct crowd *c, size_t r, const struct twin_patch *p) {
    const size_t inputs = TINY.inputs, length = c->length[r];
    double tokens[(TOKENS + 1) * 3];
    memcpy(tokens, c->s.tokens.d + c->slot[r] * TOKENS * inputs, length * inputs * sizeof *tokens);
    memcpy(tokens + length * inputs, c->x.d + r * inputs, inputs * sizeof *tokens);
    c->s.twin.patches = p;
    c->s.twin.n_patches = p != NULL;
    model_twin_run(&c->s.twin, tokens, length + 1, NULL, 0);
    return c->s.twin.prediction[length];
}

static double with_head(struct crowd *c, size_t r, enum edit_site site, size_t l, size_t h,
                        size_t value_row) {
    const size_t D = TINY.E / HEADS, plane = site == EDIT_HEADS ? 0 : LAYERS;
    const double *values = c->values.d + ((plane + l) * MANY + value_row) * TINY.E + h * D;
    const struct twin_patch p = {.site = site == EDIT_HEADS ? 'z' : 'a',
                                 .layer = l,
                                 .token = c->length[r],
                                 .from = h * D,
                                 .n = D,
                                 .scale = 1,
                                 .values = values};
    return twin_prediction(c, r, &p);
}

static void check_map(struct crowd *c, enum edit_site site, size_t value_rows) {
    const struct basis values = values_of(c, value_rows);
    head_patching_all(c->prediction, &c->pass, &values, site);
    for (size_t l = 0; l < LAYERS; l++)
        for (size_t h = 0; h < HEADS; h++)
            for (size_t r = 0; r < MANY; r++) {
                const double want = with_head(c, r, site, l, h, value_rows > 1 ? r : 0);
                CLOSE(twin_error(c->prediction + (l * HEADS + h) * MANY + r, &want, 1), 1e-5);
            }
}

static void every_head_equals_the_full_forward(void **state) {
    (void)state;
    struct crowd c;
    crowd_init(&c);
    head_patching_begin(&c.pass, &c.s.p, &c.s.context, &c.rows);
    for (size_t r = 0; r < MANY; r++) {
        const double want = twin_prediction(&c, r, NULL);
        CLOSE(twin_error(c.pass.base.prediction + r, &want, 1), 1e-5);
    }
    for (size_t value_rows = 1; value_rows <= MANY; value_rows += MANY - 1) {
        check_map(&c, EDIT_HEADS, value_rows);
        check_map(&c, EDIT_ATTENTION, value_rows);
    }
    crowd_free(&c);
}

/* One head at a time, as for a corruption that is redrawn for each head. */
static void single_heads_equal_the_full_forward(void **state) {
    (void)state;
    struct crowd c;
    crowd_init(&c);
    const struct basis values = values_of(&c, 1);
    head_patching_begin(&c.pass, &c.s.p, &c.s.context, &c.rows);
    for (size_t l = 0; l < LAYERS; l++)
        for (size_t h = 0; h < HEADS; h++) {
            head_patching_heads(c.prediction, &c.pass, &values, EDIT_HEADS, l, h, 1);
            for (size_t r = 0; r < MANY; r++) {
                const double want = with_head(&c, r, EDIT_HEADS, l, h, 0);
                CLOSE(twin_error(c.prediction + r, &want, 1), 1e-5);
            }
        }
    crowd_free(&c);
}

/* A head patched with its own output: the unedited prediction, up to rounding of other GEMM shapes.
 */
static void its_own_output_has_no_effect(void **state) {
    (void)state;
    struct crowd c;
    crowd_init(&c);
    head_patching_begin(&c.pass, &c.s.p, &c.s.context, &c.rows);
    const struct query *base = &c.pass.base;
    const struct basis own = {.R = MANY, .stride = base->capacity, .part = {base->z, base->a}};
    head_patching_all(c.prediction, &c.pass, &own, EDIT_HEADS);
    for (size_t lh = 0; lh < LAYERS * HEADS; lh++)
        for (size_t r = 0; r < MANY; r++) {
            const double want = (double)base->prediction[r];
            CLOSE(twin_error(c.prediction + lh * MANY + r, &want, 1), 1e-5);
        }
    crowd_free(&c);
}

static void bytes_are_as_predicted(void **state) {
    (void)state;
    for (size_t prompts = 1; prompts <= MANY; prompts += MANY - 1) {
        struct head_patching e;
        SUCCEEDS(head_patching_create(&e, &TINY, prompts, TOKENS, &err));
        assert_int_equal(e.base.memory.size + e.copies.memory.size,
                         head_patching_bytes(&TINY, prompts, TOKENS));
        head_patching_destroy(&e);
        head_patching_destroy(&e);
    }
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_head_equals_the_full_forward),
        cmocka_unit_test(single_heads_equal_the_full_forward),
        cmocka_unit_test(its_own_output_has_no_effect),
        cmocka_unit_test(bytes_are_as_predicted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
