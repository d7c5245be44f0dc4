#include "model/edit_gradient.h"

#include <stdlib.h>

#include "model/query_scene.h"
#include "ops/blas.h"

enum { FROM = 3, WIDTH = 4, EDITS = 3 }; /* coordinates of both heads of TINY */

static const enum edit_site SITES[] = {EDIT_HEADS, EDIT_ATTENTION, EDIT_BLOCK};
static const char TWIN_SITES[] = "zax";

/* A row of the scene under: values v[0] added after block 0, one operation on some coordinates at a
 * site of layer 1, and after it v[1] added to all of them at the same place. */
struct trial {
    struct scene *s;
    size_t r;
    struct edit edits[EDITS];
    struct twin_patch patches[EDITS];
};

static void describe(struct trial *t, size_t site, enum edit_operation operation) {
    const double gate = (double)0.7f;
    const float *v = t->s->v.f;
    const size_t E = TINY.E, layer = ROWS * E;
    t->edits[0] = (struct edit){.scale = 1.0f, .values = v, .row_stride = E};
    t->edits[1] = (struct edit){.layer = 1,
                                .site = SITES[site],
                                .operation = operation,
                                .from = FROM,
                                .n = WIDTH,
                                .scale = 0.7f,
                                .values = v + layer,
                                .row_stride = E};
    t->edits[2] = (struct edit){
        .layer = 1, .site = SITES[site], .scale = 1.0f, .values = v + 2 * layer, .row_stride = E};
    t->patches[0] = (struct twin_patch){.site = 'x', .n = E, .keep = 1, .scale = 1};
    t->patches[1] = (struct twin_patch){
        .site = TWIN_SITES[site], .layer = 1, .from = FROM, .n = WIDTH, .keep = 1, .scale = gate};
    t->patches[2] =
        (struct twin_patch){.site = TWIN_SITES[site], .layer = 1, .n = E, .keep = 1, .scale = 1};
    if (operation == EDIT_MIX) t->patches[1].keep = 1 - gate;
    if (operation == EDIT_REPLACE) t->patches[1].keep = 0, t->patches[1].scale = 1;
}

static void choose_row(struct trial *t, size_t r) {
    t->r = r;
    for (size_t i = 0; i < EDITS; i++) {
        t->patches[i].token = t->s->length[r];
        t->patches[i].values = t->s->v.d + (i * ROWS + r) * TINY.E;
    }
}

static double twin_loss(void *context) {
    const struct trial *t = context;
    t->s->twin.patches = t->patches;
    t->s->twin.n_patches = EDITS;
    run_twin(t->s, t->r, NULL, 0);
    return t->s->c.d[t->r] * t->s->twin.prediction[t->s->length[t->r]];
}

/* got [E] against differences of `numbers` [E], which the loss of row r depends on. */
static void compare_slopes(const float *got, struct trial *t, double *numbers) {
    double want[8];
    for (size_t e = 0; e < TINY.E; e++) want[e] = twin_slope(twin_loss, t, numbers + e);
    CLOSE(relative_error(got, want, TINY.E), 1e-4);
}

struct seen { /* the places of a pass in the order of their visit, copied */
    size_t n;
    struct query_place place[4];
    float x[ROWS * 8], g[4][ROWS * 8];
};

static void see(void *context, const struct query_place *place) {
    struct seen *s = context;
    const size_t bytes = place->R * TINY.E * sizeof(float);
    assert_true(s->n < 4 && place->R == ROWS);
    memcpy(s->g[s->n], place->g, bytes);
    if (place->x) memcpy(s->x, place->x, bytes);
    s->place[s->n++] = *place;
}

static void run(struct seen *seen, struct trial *t, float *before) {
    const struct edits edits = {.items = t->edits, .n = EDITS};
    const struct query_visitor visitor = {see, seen};
    struct scene *s = t->s;
    *seen = (struct seen){0};
    s->query.before = before;
    query_forward(&s->query, &s->p, &s->context, &s->rows, &edits);
    query_backward_edited(&s->query, &s->p, &s->context, &s->rows, &edits, s->c.f, &visitor);
}

/* What the operation met is what stands there with the first edit alone. */
static void compare_before(const struct seen *seen, struct trial *t) {
    struct scene *s = t->s;
    const size_t layer = s->query.capacity * TINY.E, bytes = ROWS * TINY.E * sizeof(float);
    query_forward(&s->query, &s->p, &s->context, &s->rows,
                  &(struct edits){.items = t->edits, .n = 1});
    const float *at[] = {s->query.z + layer, s->query.a + layer, s->query.x + 2 * layer};
    for (size_t site = 0; site < 3; site++)
        if (SITES[site] == seen->place[0].site) assert_memory_equal(seen->x, at[site], bytes);
}

static void check(struct scene *s, size_t site, enum edit_operation operation, float *before) {
    static struct seen seen;
    struct trial t = {.s = s};
    describe(&t, site, operation);
    run(&seen, &t, before);
    assert_int_equal(seen.n, 2);
    assert_int_equal(seen.place[0].layer, 1);
    assert_int_equal(seen.place[0].site, SITES[site]);
    assert_int_equal(seen.place[1].layer, 0);
    assert_int_equal(seen.place[1].site, EDIT_BLOCK);
    assert_null(seen.place[1].x);
    assert_true((seen.place[0].x != NULL) == (operation != EDIT_ADD && before));
    for (size_t r = 0; r < ROWS; r++) {
        choose_row(&t, r);
        compare_slopes(seen.g[0] + r * TINY.E, &t, s->v.d + (2 * ROWS + r) * TINY.E);
        compare_slopes(seen.g[1] + r * TINY.E, &t, s->v.d + r * TINY.E);
        assert_memory_equal(s->query.g + r * TINY.E, seen.g[1] + r * TINY.E, TINY.E * 4);
    }
    if (seen.place[0].x) compare_before(&seen, &t);
}

static void every_operation_at_every_site(void **state) {
    (void)state;
    struct scene s;
    float *before = calloc(TINY.L * (ROWS + 2) * TINY.E, sizeof *before);
    assert_non_null(before);
    scene_init(&s, true);
    for (size_t site = 0; site < 3; site++) {
        check(&s, site, EDIT_ADD, before);
        check(&s, site, EDIT_MIX, before);
        check(&s, site, EDIT_REPLACE, before);
        check(&s, site, EDIT_MIX, NULL);
    }
    scene_free(&s);
    free(before);
}

/* All of layer 0, whose backward pass is run for such edits only. */
static void the_first_block_and_the_embedding(void **state) {
    (void)state;
    static struct seen seen;
    struct scene s;
    scene_init(&s, true);
    struct trial t = {.s = &s};
    describe(&t, 0, EDIT_MIX);
    t.edits[0].site = EDIT_EMBEDDING;
    t.patches[0].site = 'e';
    t.edits[1].layer = t.edits[2].layer = 0;
    t.patches[1].layer = t.patches[2].layer = 0;
    run(&seen, &t, NULL);
    assert_int_equal(seen.n, 2);
    assert_int_equal(seen.place[0].site, EDIT_HEADS);
    assert_int_equal(seen.place[1].site, EDIT_EMBEDDING);
    for (size_t r = 0; r < ROWS; r++) {
        choose_row(&t, r);
        (void)twin_loss(&t);
        compare_row(&s, r);
        compare_slopes(seen.g[0] + r * TINY.E, &t, s.v.d + (2 * ROWS + r) * TINY.E);
        compare_slopes(seen.g[1] + r * TINY.E, &t, s.v.d + r * TINY.E);
    }
    scene_free(&s);
}

/* The backward pass through additions has the bits of query_backward(). */
static void additions_have_the_bits_of_query_backward(void **state) {
    (void)state;
    static struct seen seen;
    struct scene s, plain;
    scene_init(&s, true);
    scene_init(&plain, true);
    struct trial t = {.s = &s};
    describe(&t, 2, EDIT_ADD);
    run(&seen, &t, NULL);
    query_forward(&plain.query, &plain.p, &plain.context, &plain.rows,
                  &(struct edits){.items = t.edits, .n = EDITS});
    query_backward(&plain.query, &plain.p, &plain.context, &plain.rows, plain.c.f);
    assert_memory_equal(s.query.g, plain.query.g,
                        TINY.L * s.query.capacity * TINY.E * sizeof(float));
    scene_free(&s);
    scene_free(&plain);
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_at_every_site),
        cmocka_unit_test(the_first_block_and_the_embedding),
        cmocka_unit_test(additions_have_the_bits_of_query_backward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
