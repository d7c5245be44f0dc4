#include "model/edit.h"

#include <math.h>

#include "model/edit_gradient.h"
#include "model/query_scene.h"
#include "ops/blas.h"

enum { FROM = 3, WIDTH = 4 }; /* coordinates of both heads of TINY */

static const enum edit_site SITES[] = {EDIT_HEADS, EDIT_ATTENTION, EDIT_BLOCK};
static const char TWIN_SITES[] = "zax";
static const enum edit_operation OPERATIONS[] = {EDIT_ADD, EDIT_REPLACE, EDIT_MIX};

/* An operation of scale .7 as a patch of the twin. */
static void describe(struct twin_patch *p, enum edit_operation operation) {
    const double scale = (double)0.7f;
    p->keep = operation == EDIT_ADD ? 1 : operation == EDIT_REPLACE ? 0 : 1 - scale;
    p->scale = operation == EDIT_REPLACE ? 1 : scale;
}

/* Coordinates FROM .. of layer 1, with values that differ by row. */
static struct edit slice_edit(const struct scene *s, size_t site, size_t operation) {
    return (struct edit){.layer = 1,
                         .site = SITES[site],
                         .operation = OPERATIONS[operation],
                         .from = FROM,
                         .n = WIDTH,
                         .scale = 0.7f,
                         .values = s->v.f,
                         .row_stride = TINY.E};
}

static void check_slice(struct scene *s, size_t site, size_t operation) {
    const struct edit e = slice_edit(s, site, operation);
    query_forward(&s->query, &s->p, &s->context, &s->rows, &(struct edits){.items = &e, .n = 1});
    for (size_t r = 0; r < ROWS; r++) {
        struct twin_patch p = {.site = TWIN_SITES[site],
                               .layer = 1,
                               .token = s->length[r],
                               .from = FROM,
                               .n = WIDTH,
                               .values = s->v.d + r * TINY.E};
        describe(&p, OPERATIONS[operation]);
        s->twin.patches = &p;
        s->twin.n_patches = 1;
        run_twin(s, r, NULL, 0);
        compare_row(s, r);
    }
}

static void every_operation_at_every_site_equals_the_full_forward(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s, false);
    for (size_t site = 0; site < 3; site++)
        for (size_t operation = 0; operation < 3; operation++) check_slice(&s, site, operation);
    scene_free(&s);
}

/* A gate for each head: two edits of one layer, n left at 0 in the second. */
static void gates_of_single_heads(void **state) {
    (void)state;
    struct scene s;
    const float gate[2] = {0.25f, 0.5f};
    const size_t D = TINY.E / 2;
    struct edit e[2];
    struct twin_patch p[2];
    scene_init(&s, false);
    for (size_t h = 0; h < 2; h++) {
        e[h] = (struct edit){.site = EDIT_HEADS,
                             .operation = EDIT_MIX,
                             .from = h * D,
                             .n = h == 0 ? D : 0,
                             .scale = gate[h],
                             .values = s.v.f + h * D};
        p[h] = (struct twin_patch){.site = 'z',
                                   .from = h * D,
                                   .n = D,
                                   .keep = 1 - (double)gate[h],
                                   .scale = (double)gate[h],
                                   .values = s.v.d + h * D};
    }
    query_forward(&s.query, &s.p, &s.context, &s.rows, &(struct edits){.items = e, .n = 2});
    for (size_t r = 0; r < ROWS; r++) {
        p[0].token = p[1].token = s.length[r];
        s.twin.patches = p;
        s.twin.n_patches = 2;
        run_twin(&s, r, NULL, 0);
        compare_row(&s, r);
    }
    scene_free(&s);
}

/* The pass of t has the bits of s: predictions and stored activations. */
static void same_bits(const struct scene *s, const struct scene *t) {
    const size_t layer = s->query.capacity * TINY.E * sizeof(float);
    assert_memory_equal(s->query.prediction, t->query.prediction, ROWS * sizeof(float));
    assert_memory_equal(s->query.x, t->query.x, (TINY.L + 1) * layer);
    assert_memory_equal(s->query.z, t->query.z, TINY.L * layer);
    assert_memory_equal(s->query.a, t->query.a, TINY.L * layer);
}

/* One row of values per prompt, for all its lengths. */
static void an_index_shares_values_among_rows(void **state) {
    (void)state;
    struct scene s, t;
    scene_init(&s, false);
    scene_init(&t, false);
    for (size_t r = 0; r < ROWS; r++)
        memcpy(t.v.f + r * TINY.E, s.v.f + s.slot[r] * TINY.E, TINY.E * sizeof *s.v.f);
    for (size_t site = 0; site < 3; site++) {
        const struct edit a = slice_edit(&s, site, 0), b = slice_edit(&t, site, 0);
        const struct edits shared = {.items = &a, .n = 1, .index = s.slot};
        const struct edits copied = {.items = &b, .n = 1};
        query_forward(&s.query, &s.p, &s.context, &s.rows, &shared);
        query_forward(&t.query, &t.p, &t.context, &t.rows, &copied);
        same_bits(&s, &t);
    }
    scene_free(&s);
    scene_free(&t);
}

static void mixing_with_scale_0_changes_no_bit(void **state) {
    (void)state;
    struct scene s, t;
    struct edit e[3];
    float x[3] = {-0.0f, 0.0f, 2.0f};
    const float same[3] = {-0.0f, 0.0f, 2.0f}, ones[3] = {1, 1, 1};
    const struct edit none = {.operation = EDIT_MIX, .values = ones};
    edit_apply(x, &none, 0, 3, NULL);
    assert_memory_equal(x, same, sizeof x);
    scene_init(&s, false);
    scene_init(&t, false);
    for (size_t site = 0; site < 3; site++) {
        e[site] = slice_edit(&s, site, 2);
        e[site].scale = 0;
    }
    query_forward(&s.query, &s.p, &s.context, &s.rows, &(struct edits){.items = e, .n = 3});
    query_forward(&t.query, &t.p, &t.context, &t.rows, &(struct edits){0});
    same_bits(&s, &t);
    scene_free(&s);
    scene_free(&t);
}

/* ---- maps */

static double largest_gap(const float *got, const float *want, size_t n) {
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        const double gap = fabs((double)got[i] - (double)want[i]);
        if (!(gap <= worst)) worst = gap;
    }
    return worst;
}

enum { RANK = 2, MAP = RANK * WIDTH };

/* x + B^T (A x + c) of row r by the definition; B NULL: the identity. */
static void naive_map(double *out, const float *x, const struct edit_map *m, size_t r, size_t n) {
    for (size_t e = 0; e < n; e++) out[e] = (double)x[e];
    for (size_t k = 0; k < m->rank; k++) {
        double y = m->c ? (double)m->c[r * m->c_stride + k] : 0;
        for (size_t e = 0; e < n; e++)
            y += (double)m->A[r * m->A_stride + k * n + e] * (double)x[e];
        for (size_t e = 0; e < n; e++)
            out[e] += y * (m->B ? (double)m->B[r * m->B_stride + k * n + e] : e == k ? 1.0 : 0.0);
    }
}

/* A map on the coordinates FROM .. of layer 1's output; matrices that differ by row, or by prompt.
 * The reference replaces the activation of an unedited pass by the result of the definition. */
static void check_map(struct scene *s, const struct edit_map *m, const uint32_t *index) {
    struct scene t;
    const struct edit e = {.layer = 1, .from = FROM, .n = WIDTH, .operation = EDIT_MAP, .map = *m};
    float want[ROWS * WIDTH];
    scene_init(&t, false);
    query_forward(&s->query, &s->p, &s->context, &s->rows,
                  &(struct edits){.items = &e, .n = 1, .index = index});
    query_forward(&t.query, &t.p, &t.context, &t.rows, &(struct edits){0});
    for (size_t r = 0; r < ROWS; r++) {
        double row[WIDTH];
        const float *x = t.query.x + (2 * t.query.capacity + r) * TINY.E + FROM;
        naive_map(row, x, m, index ? index[r] : r, WIDTH);
        for (size_t i = 0; i < WIDTH; i++) want[r * WIDTH + i] = (float)row[i];
    }
    const struct edit there = {.layer = 1,
                               .from = FROM,
                               .n = WIDTH,
                               .operation = EDIT_REPLACE,
                               .values = want,
                               .row_stride = WIDTH};
    query_forward(&t.query, &t.p, &t.context, &t.rows, &(struct edits){.items = &there, .n = 1});
    CLOSE(largest_gap(s->query.x, t.query.x, 4 * s->query.capacity * TINY.E), 1e-5);
    CLOSE(largest_gap(s->query.prediction, t.query.prediction, ROWS), 1e-5);
    scene_free(&t);
}

static void a_map_is_as_defined(void **state) {
    (void)state;
    struct scene s;
    struct pair m = pair_normals(3 * ROWS * WIDTH * WIDTH, 9, 0.5);
    const float *A = m.f, *B = A + ROWS * WIDTH * WIDTH, *c = B + ROWS * WIDTH * WIDTH;
    scene_init(&s, false);
    check_map(&s, &(struct edit_map){RANK, A, B, c, MAP, MAP, RANK}, NULL);
    check_map(&s, &(struct edit_map){RANK, A, B, NULL, MAP, MAP, 0}, s.slot);
    check_map(&s, &(struct edit_map){RANK, A, B, c, 0, 0, 0}, NULL);
    check_map(&s, &(struct edit_map){WIDTH, A, NULL, c, WIDTH * WIDTH, 0, WIDTH}, NULL);
    scene_free(&s);
    pair_free(&m);
}

/* The map is affine: the gradient before it, times a step, equals the gradient after it, times the
 * image of the step. */
static void check_map_slope(const struct edit_map *m) {
    const struct edit e = {.operation = EDIT_MAP, .map = *m};
    const struct edit_map straight = {m->rank, m->A, m->B, NULL, m->A_stride, m->B_stride, 0};
    struct pair g = pair_normals(2 * WIDTH, 10, 1.0), step = pair_normals(2 * WIDTH, 11, 1.0);
    float scratch[WIDTH];
    edits_backward(g.f, &(struct edits){.items = &e, .n = 1}, 0, EDIT_BLOCK, NULL, 2, WIDTH,
                   scratch);
    for (size_t r = 0; r < 2; r++) {
        double out[WIDTH], got = 0, want = 0;
        naive_map(out, step.f + r * WIDTH, &straight, r, WIDTH);
        for (size_t i = 0; i < WIDTH; i++) {
            want += g.d[r * WIDTH + i] * out[i];
            got += (double)g.f[r * WIDTH + i] * step.d[r * WIDTH + i];
        }
        CLOSE(fabs(got - want), 1e-5);
    }
    pair_free(&g), pair_free(&step);
}

static void the_gradient_of_a_map_is_its_transpose(void **state) {
    (void)state;
    struct pair m = pair_normals(2 * 2 * WIDTH * WIDTH, 9, 0.5);
    const float *B = m.f + 2 * WIDTH * WIDTH;
    check_map_slope(&(struct edit_map){RANK, m.f, B, B, MAP, MAP, RANK});
    check_map_slope(&(struct edit_map){RANK, m.f, B, NULL, 0, 0, 0});
    check_map_slope(&(struct edit_map){WIDTH, m.f, NULL, NULL, WIDTH * WIDTH, 0, 0});
    pair_free(&m);
}

static void a_map_to_zero_changes_no_bit(void **state) {
    (void)state;
    float x[3] = {-0.0f, 0.0f, 2.0f}, scratch[3];
    const float same[3] = {-0.0f, 0.0f, 2.0f}, ones[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1},
                zeros[9] = {0};
    edit_apply(x, &(struct edit){.operation = EDIT_MAP, .map = {.rank = 1, .A = zeros, .B = ones}},
               0, 3, scratch);
    assert_memory_equal(x, same, sizeof x);
    edit_apply(x, &(struct edit){.operation = EDIT_MAP, .map = {.rank = 3, .A = zeros}}, 0, 3,
               scratch);
    assert_memory_equal(x, same, sizeof x);
}

/* The rows at a site of layer 1 after a pass. */
static float *rows_at(struct scene *s, enum edit_site site) {
    const size_t layer = s->query.capacity * TINY.E;
    if (site == EDIT_HEADS) return s->query.z + layer;
    return site == EDIT_ATTENTION ? s->query.a + layer : s->query.x + 2 * layer;
}

/* Resuming from rows that the caller has edited gives the bits of a pass with these edits. */
static void resuming_equals_editing(void **state) {
    (void)state;
    for (size_t site = 0; site < 3; site++) {
        struct scene s, t;
        scene_init(&s, false);
        scene_init(&t, false);
        const struct edit e = slice_edit(&s, site, 1), ignored = slice_edit(&s, site, 0);
        const struct edits one = {.items = &e, .n = 1}, late = {.items = &ignored, .n = 1};
        query_forward(&s.query, &s.p, &s.context, &s.rows, &one);
        query_forward(&t.query, &t.p, &t.context, &t.rows, &(struct edits){0});
        for (size_t r = 0; r < ROWS; r++)
            memcpy(rows_at(&t, SITES[site]) + r * TINY.E + FROM, s.v.f + r * TINY.E,
                   WIDTH * sizeof(float));
        query_resume(&t.query, &t.p, &t.context, &t.rows, &late, 1, SITES[site]);
        same_bits(&s, &t);
        scene_free(&s);
        scene_free(&t);
    }
}

/* Every token of every prompt, in the context and at the query. */
static void steering_equals_the_full_forward(void **state) {
    (void)state;
    struct scene s;
    struct edit e[3];
    struct twin_edit t[3];
    scene_init(&s, false);
    for (size_t l = 0; l < TINY.L; l++) {
        e[l] = (struct edit){.layer = l,
                             .scope = EDIT_ALL,
                             .operation = EDIT_STEER,
                             .scale = 1.5f,
                             .values = s.v.f + l * ROWS * TINY.E,
                             .row_stride = TINY.E};
        t[l] = (struct twin_edit){.layer = l, .scale = 1.5};
    }
    const struct edits edits = {.items = e, .n = 3, .index = s.slot};
    s.twin.steers = true;
    fill(&s, &edits);
    query_forward(&s.query, &s.p, &s.context, &s.rows, &edits);
    for (size_t r = 0; r < ROWS; r++) {
        for (size_t l = 0; l < TINY.L; l++) t[l].values = s.v.d + (l * ROWS + s.slot[r]) * TINY.E;
        run_twin(&s, r, t, 3);
        compare_row(&s, r);
    }
    scene_free(&s);
}

static void steering_keeps_norms(void **state) {
    (void)state;
    const struct edit e = {.operation = EDIT_STEER, .scale = 2, .values = (const float[]){2, 1}};
    float x[2] = {0, -2}, zero[2] = {0, 0}, against[2] = {-4, -2};
    edit_apply(x, &e, 0, 2, NULL); /* (4, 0) is the direction */
    assert_true(x[0] == 2 && x[1] == 0);
    edit_apply(zero, &e, 0, 2, NULL);
    assert_true(zero[0] == 0 && zero[1] == 0);
    edit_apply(against, &e, 0, 2, NULL); /* the sum has no direction */
    assert_true(against[0] == 0 && against[1] == 0);
}

static void steering_by_zeros_changes_no_bit(void **state) {
    (void)state;
    const float nothing[3] = {0, -0.0f, 0}, same[3] = {-0.0f, 1.1f, 2.3e-7f};
    const struct edit e = {.operation = EDIT_STEER, .scale = 1.5f, .values = nothing};
    float x[3] = {-0.0f, 1.1f, 2.3e-7f};
    edit_apply(x, &e, 0, 3, NULL);
    assert_memory_equal(x, same, sizeof x);
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_at_every_site_equals_the_full_forward),
        cmocka_unit_test(gates_of_single_heads),
        cmocka_unit_test(an_index_shares_values_among_rows),
        cmocka_unit_test(mixing_with_scale_0_changes_no_bit),
        cmocka_unit_test(a_map_is_as_defined),
        cmocka_unit_test(the_gradient_of_a_map_is_its_transpose),
        cmocka_unit_test(a_map_to_zero_changes_no_bit),
        cmocka_unit_test(resuming_equals_editing),
        cmocka_unit_test(steering_equals_the_full_forward),
        cmocka_unit_test(steering_keeps_norms),
        cmocka_unit_test(steering_by_zeros_changes_no_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
