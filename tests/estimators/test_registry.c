/* What holds for every estimator, and from a config to the numbers of one. */
#include "estimators/prompt_scene.h"

#include <stdio.h>

#include "twins/keys_stage.h"

static struct err err;

/* Defaults of its keys, as a config with nothing but the name gives them. */
static struct estimator_setup setup_from(const char *keys, double noise);

static void the_registry_is_whole(void **state) {
    (void)state;
    for (size_t i = 0; i < estimator_count(); i++) {
        const struct estimator *e = estimator_at(i);
        const size_t length = strlen(e->name);
        assert_ptr_equal(estimator_find(e->name), e);
        assert_true(e->meaning[0] && e->paper && e->predict && e->flops);
        assert_true((e->n_keys > 0) == (e->read != NULL));
        for (size_t k = 0; k < e->n_keys; k++) {
            assert_memory_equal(e->keys[k].name, e->name, length);
            assert_true(e->keys[k].name[length] == '.');
            assert_memory_equal(e->keys[k].when, "estimator=", 10);
            assert_string_equal(e->keys[k].when + 10, e->name);
        }
    }
    assert_null(estimator_find("nothing"));
}

/* Nothing learned without examples, finite numbers after, the same bits twice, and a longer prompt
 * extends a shorter one. */
static void every_estimator_keeps_the_rules(void **state) {
    (void)state;
    enum { SHORT = 9, LONG = 14, DIMS = 4 };
    for (size_t i = 0; i < estimator_count(); i++) {
        char keys[64];
        struct scene s;
        float one[LONG], two[LONG], half[SHORT];
        if (estimator_at(i)->absent) continue;
        (void)snprintf(keys, sizeof keys, "estimator = \"%s\";", estimator_at(i)->name);
        const struct estimator_setup setup = setup_from(keys, 0.5);
        scene_make(&s, LONG, DIMS, 0.5, 21);
        scene_curve(one, &setup, &s.prompt);
        scene_curve(two, &setup, &s.prompt);
        assert_memory_equal(one, two, sizeof one);
        assert_true(one[0] == 0);
        for (size_t k = 1; k < LONG; k++) assert_true(isfinite(one[k]));
        assert_true(setup.estimator->flops(&setup, LONG, DIMS) > 0);
        s.prompt.points = SHORT;
        scene_curve(half, &setup, &s.prompt);
        assert_memory_equal(half, one, sizeof half);
    }
}

/* Point k is the query x [dims] and the last: the prediction there. */
static float predicted_at(const struct estimator_setup *setup, const struct scene *s, size_t k,
                          const float *x) {
    enum { MOST = 64 };
    struct estimator_prompt p = s->prompt;
    float points[MOST], curve[MOST];
    assert_true((k + 1) * p.dims <= MOST);
    memcpy(points, s->x, (k + 1) * p.dims * sizeof *points);
    memcpy(points + k * p.dims, x, p.dims * sizeof *points);
    p.points = k + 1, p.x = points, p.query = points;
    scene_curve(curve, setup, &p);
    return curve[k];
}

/* The query may be another point than the example that follows it. */
static void the_query_is_asked_not_the_next_example(void **state) {
    (void)state;
    enum { POINTS = 8, DIMS = 3 };
    for (size_t i = 0; i < estimator_count(); i++) {
        char keys[64];
        struct scene s;
        float got[POINTS], query[POINTS * DIMS];
        if (estimator_at(i)->absent) continue;
        (void)snprintf(keys, sizeof keys, "estimator = \"%s\";", estimator_at(i)->name);
        const struct estimator_setup setup = setup_from(keys, 0.5);
        scene_make(&s, POINTS, DIMS, 0.5, 22);
        for (size_t j = 0; j < POINTS * DIMS; j++) query[j] = -s.x[j];
        s.prompt.query = query;
        scene_curve(got, &setup, &s.prompt);
        for (size_t k = 1; k < POINTS; k++)
            assert_true(got[k] == predicted_at(&setup, &s, k, query + k * DIMS));
    }
}

/* Other labels for every number of examples: each prediction is that of a prompt with these. */
static void labels_of_their_own_for_every_number(void **state) {
    (void)state;
    enum { POINTS = 7 };
    for (size_t i = 0; i < estimator_count(); i++) {
        char keys[64];
        struct scene s;
        float got[POINTS], want[POINTS], labels[POINTS * POINTS];
        if (estimator_at(i)->absent) continue;
        (void)snprintf(keys, sizeof keys, "estimator = \"%s\";", estimator_at(i)->name);
        const struct estimator_setup setup = setup_from(keys, 0.5);
        scene_make(&s, POINTS, 3, 0.5, 23);
        for (size_t j = 0; j < POINTS * POINTS; j++) labels[j] = s.y[(j * 5 + j / POINTS) % POINTS];
        s.prompt.labels = labels;
        scene_curve(got, &setup, &s.prompt);
        s.prompt.labels = NULL;
        for (size_t k = 0; k < POINTS; k++) {
            s.prompt.y = labels + k * POINTS;
            scene_curve(want, &setup, &s.prompt);
            assert_true(got[k] == want[k]);
        }
    }
}

/* ---- from a config */

static struct estimator_setup setup_from(const char *keys, double noise) {
    struct config *c = NULL;
    struct estimator_setup s;
    SUCCEEDS(keys_open(&c, keys, &err));
    estimator_setup_read(&s, config_stage_point(c, 0, 0), noise);
    config_close(c);
    return s;
}

static void keys_become_numbers(void **state) {
    (void)state;
    assert_string_equal(setup_from("", 0).estimator->name, "least_squares");
    assert_true(setup_from("estimator = \"ridge\";", 0.5).weight == 0.25);
    assert_true(setup_from("estimator = \"ridge\"; ridge = { lambda = 3; };", 0.5).weight == 3);
    assert_true(setup_from("estimator = \"ridge\"; ridge = { lambda = 0; };", 0.5).weight == 0);
    assert_true(setup_from("estimator = \"knn\";", 0).size == 3);
    const struct estimator_setup l =
        setup_from("estimator = \"lasso\"; lasso = { alpha = 0.1; stop = \"as_published\"; };", 0);
    assert_true(l.weight == 0.1 && l.choice == 1);
    assert_true(setup_from("estimator = \"cart\"; cart = { depth = 4; };", 0).size == 4);
    const struct estimator_setup n = setup_from("estimator = \"two_layer_net\";", 0);
    assert_true(n.size == 100 && n.steps == 100 && n.batch == 100 && n.weight == 5e-3);
    const struct estimator_setup x = setup_from("estimator = \"xgboost\";", 0);
    assert_true(x.size == 6 && x.steps == 100);
}

static void axes_of_one_do_not_multiply_another(void **state) {
    (void)state;
    struct config *c = NULL;
    SUCCEEDS(keys_open(
        &c, "estimator = [\"lasso\", \"knn\"]; lasso = { alpha = [1.0, 0.1, 0.01]; };", &err));
    assert_int_equal(config_stage_points(c, 0), 4);
    config_close(c);
}

static void what_is_refused(void **state) {
    (void)state;
    struct config *c = NULL;
    ERROR_SAYS(keys_open(&c, "estimator = \"laso\";", &err), ERR_CONFIG, "did you mean lasso");
    ERROR_SAYS(keys_open(&c, "estimator = \"lasso\"; lasso = { alpha = 0; };", &err), ERR_CONFIG,
               "lasso.alpha");
    ERROR_SAYS(keys_open(&c, "lasso = { alpha = 1; };", &err), ERR_CONFIG, "lasso.alpha");
    ERROR_SAYS(keys_open(&c, "estimator = \"ridge\"; ridge = { lambda = -2; };", &err), ERR_CONFIG,
               "ridge.lambda");
}

static int begin(void **state) {
    blas_init();
    (void)scratch_begin(state);
    return estimator_schema(&keys_schema, &err) == ERR_OK ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_registry_is_whole),
        cmocka_unit_test(every_estimator_keeps_the_rules),
        cmocka_unit_test(the_query_is_asked_not_the_next_example),
        cmocka_unit_test(labels_of_their_own_for_every_number),
        cmocka_unit_test(keys_become_numbers),
        cmocka_unit_test(axes_of_one_do_not_multiply_another),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests(tests, begin, keys_end);
}
