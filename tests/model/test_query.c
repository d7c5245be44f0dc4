#include "model/query.h"

#include "model/query_scene.h"
#include "ops/blas.h"

/* Edits that add v at every layer, and the same for the twin at token `first` and after. */
static void edit_all_layers(struct edit out[], struct twin_edit twin[], const struct scene *s,
                            size_t r, enum edit_scope scope, size_t stride, size_t first) {
    for (size_t l = 0; l < TINY.L; l++) {
        const size_t at = l * ROWS * TINY.E;
        out[l] = (struct edit){
            .layer = l, .scope = scope, .scale = 0.7f, .values = s->v.f + at, .row_stride = stride};
        twin[l] = (struct twin_edit){l, first, (double)0.7f, s->v.d + at + r * stride};
    }
}

static void check_rows(struct scene *s, const struct edit edits[], size_t n) {
    struct edit unused[3];
    struct twin_edit twin[3];
    query_forward(&s->query, &s->p, &s->context, &s->rows, &(struct edits){.items = edits, .n = n});
    for (size_t r = 0; r < s->rows.R; r++) {
        if (n > 0)
            edit_all_layers(unused, twin, s, r, edits[0].scope, edits[0].row_stride,
                            edits[0].scope == EDIT_ALL ? 0 : s->length[r]);
        run_twin(s, r, twin, n);
        compare_row(s, r);
    }
}

static void every_length_equals_the_full_forward(void **state) {
    (void)state;
    for (int for_backward = 0; for_backward < 2; for_backward++) {
        struct scene s;
        scene_init(&s, for_backward);
        check_rows(&s, NULL, 0);
        scene_free(&s);
    }
}

static void edits_of_the_query_at_all_layers(void **state) {
    (void)state;
    struct scene s;
    struct edit edits[3];
    struct twin_edit unused[3];
    scene_init(&s, false);
    edit_all_layers(edits, unused, &s, 0, EDIT_QUERY, TINY.E, 0);
    check_rows(&s, edits, 3);
    edit_all_layers(edits, unused, &s, 0, EDIT_QUERY, 0, 0);
    check_rows(&s, edits, 3);
    scene_free(&s);
}

/* First one row of values per prompt, so that row r and slot r read the same; then one vector for
 * all. */
static void edits_of_all_tokens_run_in_the_context_too(void **state) {
    (void)state;
    struct scene s;
    struct edit edits[3];
    struct twin_edit unused[3];
    scene_init(&s, false);
    for (uint32_t r = 0; r < SLOTS; r++) {
        s.slot[r] = r;
        s.length[r] = TOKENS - 2 * r;
    }
    s.rows.R = SLOTS;
    for (size_t stride = 0; stride <= TINY.E; stride += TINY.E) {
        edit_all_layers(edits, unused, &s, 0, EDIT_ALL, stride, 0);
        fill(&s, &(struct edits){.items = edits, .n = 3});
        check_rows(&s, edits, 3);
    }
    scene_free(&s);
}

static void edits_of_the_query_leave_the_context_alone(void **state) {
    (void)state;
    struct scene s;
    struct edit edits[3];
    struct twin_edit unused[3];
    scene_init(&s, false);
    edit_all_layers(edits, unused, &s, 0, EDIT_QUERY, TINY.E, 0);
    fill(&s, &(struct edits){.items = edits, .n = 3});
    check_rows(&s, NULL, 0);
    scene_free(&s);
}

struct slope {
    struct scene *s;
    size_t r;
    const struct twin_edit *edits;
};

static double twin_loss(void *context) {
    const struct slope *f = context;
    run_twin(f->s, f->r, f->edits, TINY.L);
    return f->s->c.d[f->r] * f->s->twin.prediction[f->s->length[f->r]];
}

/* g[l] is the derivative with respect to a vector that is added after block l. */
static void gradients_equal_central_differences(void **state) {
    (void)state;
    struct scene s;
    struct edit edits[3];
    struct twin_edit twin[3];
    scene_init(&s, true);
    edit_all_layers(edits, twin, &s, 0, EDIT_QUERY, TINY.E, 0);
    query_forward(&s.query, &s.p, &s.context, &s.rows, &(struct edits){.items = edits, .n = 3});
    query_backward(&s.query, &s.p, &s.context, &s.rows, s.c.f);
    for (size_t r = 0; r < ROWS; r++) {
        edit_all_layers(edits, twin, &s, r, EDIT_QUERY, TINY.E, s.length[r]);
        struct slope f = {&s, r, twin};
        for (size_t l = 0; l < TINY.L; l++) {
            double want[8];
            for (size_t e = 0; e < TINY.E; e++)
                want[e] =
                    twin_slope(twin_loss, &f, s.v.d + (l * ROWS + r) * TINY.E + e) / (double)0.7f;
            CLOSE(relative_error(s.query.g + (l * s.query.capacity + r) * TINY.E, want, TINY.E),
                  1e-4);
        }
    }
    scene_free(&s);
}

/* A pass with edits that add zeros has all bits of a pass without edits. */
static void zeros_change_no_bit(void **state) {
    (void)state;
    struct scene s, t;
    struct edit edits[3];
    struct twin_edit unused[3];
    const size_t E = TINY.E;
    scene_init(&s, true);
    scene_init(&t, true);
    memset(t.v.f, 0, t.v.n * sizeof *t.v.f);
    for (size_t i = 0; i < t.v.n; i += 3) t.v.f[i] = -0.0f;
    edit_all_layers(edits, unused, &t, 0, EDIT_QUERY, E, 0);
    query_forward(&s.query, &s.p, &s.context, &s.rows, &(struct edits){0});
    query_forward(&t.query, &t.p, &t.context, &t.rows, &(struct edits){.items = edits, .n = 3});
    query_backward(&s.query, &s.p, &s.context, &s.rows, s.c.f);
    query_backward(&t.query, &t.p, &t.context, &t.rows, t.c.f);
    const size_t layer = s.query.capacity * E * sizeof(float);
    assert_memory_equal(s.query.prediction, t.query.prediction, ROWS * sizeof(float));
    assert_memory_equal(s.query.x, t.query.x, (TINY.L + 1) * layer);
    assert_memory_equal(s.query.z, t.query.z, TINY.L * layer);
    assert_memory_equal(s.query.g, t.query.g, TINY.L * layer);
    scene_free(&s);
    scene_free(&t);
}

static void adding_zero_keeps_the_sign_of_zero(void **state) {
    (void)state;
    float x[4] = {-0.0f, 0.0f, -1.0f, 2.0f};
    const float same[4] = {-0.0f, 0.0f, -1.0f, 2.0f}, zeros[4] = {0}, one[4] = {1, 1, 1, 1};
    edit_add(x, zeros, 1.0f, 4);
    assert_memory_equal(x, same, sizeof x);
    edit_add(x, one, 0.0f, 4);
    assert_memory_equal(x, same, sizeof x);
    edit_add(x, one, 2.0f, 4);
    assert_true(x[0] == 2.0f && x[2] == 1.0f);
}

static void storing_for_backward_changes_no_bit(void **state) {
    (void)state;
    struct scene s, t;
    scene_init(&s, false);
    scene_init(&t, true);
    query_forward(&s.query, &s.p, &s.context, &s.rows, &(struct edits){0});
    query_forward(&t.query, &t.p, &t.context, &t.rows, &(struct edits){0});
    assert_memory_equal(s.query.prediction, t.query.prediction, ROWS * sizeof(float));
    assert_int_equal(s.query.memory.size, query_bytes(&TINY, ROWS + 2, TOKENS, false));
    assert_int_equal(t.query.memory.size, query_bytes(&TINY, ROWS + 2, TOKENS, true));
    assert_true(s.query.memory.size < t.query.memory.size);
    scene_free(&s);
    scene_free(&t);
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_equals_the_full_forward),
        cmocka_unit_test(edits_of_the_query_at_all_layers),
        cmocka_unit_test(edits_of_all_tokens_run_in_the_context_too),
        cmocka_unit_test(edits_of_the_query_leave_the_context_alone),
        cmocka_unit_test(gradients_equal_central_differences),
        cmocka_unit_test(zeros_change_no_bit),
        cmocka_unit_test(adding_zero_keeps_the_sign_of_zero),
        cmocka_unit_test(storing_for_backward_changes_no_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
