/* Controls of a fit: which of its edits they keep and which they replace. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "methods/method.h"

enum { R = 3, E = 8, EDITS = 4 };

struct scene {
    float v[R * E], shared[E], half[4];
    struct edit items[EDITS];
    float values[EDITS * R * E];
};

/* Four edits: a value per prompt, one value for all prompts (twice), and one of four coordinates.
 */
static void scene_init(struct scene *s) {
    for (size_t i = 0; i < (size_t)R * E; i++) s->v[i] = (float)i - 3;
    for (size_t i = 0; i < E; i++) s->shared[i] = i < 4 ? 0.5F : -2;
    for (size_t i = 0; i < 4; i++) s->half[i] = 1e-3F;
    memset(s->items, 0, sizeof s->items);
    s->items[0] = (struct edit){.layer = 0, .scale = 1, .values = s->v, .row_stride = E};
    s->items[1] = (struct edit){.layer = 1, .scale = 1, .values = s->shared};
    s->items[2] = (struct edit){.layer = 2, .scale = 1, .values = s->shared};
    s->items[3] = (struct edit){.layer = 2, .from = 2, .n = 4, .scale = 1, .values = s->half};
}

static void redraw(struct scene *s, size_t rows, uint64_t first) {
    const struct rng stream = rng_stream(3, "control");
    const struct method_redraw of = {rows, E, &stream, first};
    method_find("random")->control.redraw(s->items, EDITS, s->values, &of);
}

static double norm(const float *x, size_t n) {
    double square = 0;
    for (size_t i = 0; i < n; i++) square += (double)x[i] * (double)x[i];
    return sqrt(square);
}

static void random_has_the_norms_of_the_fit(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s);
    redraw(&s, R, 10);
    for (size_t r = 0; r < R; r++) {
        const double rows = norm(s.v + r * E, E);
        assert_true(fabs(norm(edit_row(&s.items[0], r), E) / rows - 1) < 1e-6);
        assert_true(fabs(norm(edit_row(&s.items[1], r), E) / norm(s.shared, E) - 1) < 1e-6);
        assert_true(fabs(norm(edit_row(&s.items[3], r), 4) / norm(s.half, 4) - 1) < 1e-6);
        assert_memory_not_equal(edit_row(&s.items[0], r), s.v + r * E, E * sizeof(float));
    }
    assert_ptr_equal(s.items[1].values, s.items[2].values); /* shared before, shared still */
    assert_memory_not_equal(edit_row(&s.items[1], 0), edit_row(&s.items[1], 1), E * sizeof(float));
    assert_true(s.items[3].from == 2 && s.items[3].n == 4 && s.items[3].layer == 2);
    for (size_t i = 0; i < 4; i++)
        assert_true(s.shared[i] == 0.5F); /* the values of the fit are unchanged */
}

/* A function has its direction in whatever batch; another has another. */
static void random_is_drawn_for_the_function(void **state) {
    (void)state;
    struct scene all, one;
    scene_init(&all), scene_init(&one);
    redraw(&all, R, 10);
    memcpy(one.v, all.v + 2 * E, E * sizeof *one.v);
    redraw(&one, 1, 12);
    for (size_t i = 0; i < EDITS; i++)
        assert_memory_equal(edit_row(&all.items[i], 2), edit_row(&one.items[i], 0),
                            (i == 3 ? 4 : E) * sizeof(float));
}

static void nothing_stays_nothing(void **state) {
    (void)state;
    struct scene s;
    scene_init(&s);
    memset(s.v, 0, sizeof s.v);
    redraw(&s, R, 0);
    for (size_t i = 0; i < E; i++) assert_true(edit_row(&s.items[0], 1)[i] == 0);
}

static void controls_of_a_fit_say_what_they_apply_to(void **state) {
    (void)state;
    const struct method *random = method_find("random"), *other = method_find("mismatched");
    const struct method *ltv = method_find("ltv"), *constant = method_find("constant");
    assert_true(random->control.applies(ltv, true) && random->control.applies(constant, false));
    assert_false(random->control.applies(method_find("loreft"), true));
    assert_true(other->control.applies(ltv, true));
    assert_false(other->control.applies(ltv, false));
    assert_false(other->control.applies(constant, true));
    for (size_t i = 0; i < method_count(); i++)
        if (method_at(i) != random && method_at(i) != other)
            assert_null(method_at(i)->control.applies);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_has_the_norms_of_the_fit),
        cmocka_unit_test(random_is_drawn_for_the_function),
        cmocka_unit_test(nothing_stays_nothing),
        cmocka_unit_test(controls_of_a_fit_say_what_they_apply_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
