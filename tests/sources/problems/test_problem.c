/* Each problem against a naive evaluation of its formula, and its E[y^2] against a large sample. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sources/problems/problem.h"
#include "sources/source_registry.h"
#include "twins/error_says.h"
#include "twins/keys_stage.h"

enum { DIMS = 6, POINTS = 40, ROOM = 4096 };

static struct err err;

static struct problem_setup setup_of(const char *name, size_t dims, size_t size) {
    const struct problem *p = problem_find(name);
    assert_non_null(p);
    return (struct problem_setup){.problem = p, .dims = dims, .size = size, .scale = 1};
}

static void draw_points(float *x, uint64_t sample, size_t points, size_t dims) {
    const struct rng r = rng_stream(11, "test/x");
    for (size_t i = 0; i < points; i++) rng_normals(x + i * dims, dims, &r, sample, i);
}

typedef double formula(const float *p, const struct problem_setup *s, const float *x);

static double dot(const float *p, const struct problem_setup *s, const float *x) {
    double sum = 0;
    for (size_t c = 0; c < s->dims; c++) sum += (double)p[c] * (double)x[c];
    return sum;
}

static double sign(const float *p, const struct problem_setup *s, const float *x) {
    const double d = dot(p, s, x);
    return d > 0 ? 1 : d < 0 ? -1 : 0;
}

static double squares(const float *p, const struct problem_setup *s, const float *x) {
    double sum = 0;
    for (size_t c = 0; c < s->dims; c++) sum += (double)p[c] * pow((double)x[c], 2);
    return sum / sqrt(3.0);
}

/* u [dims, r], v [r] as the published W1 and W2 */
static double relu_net(const float *p, const struct problem_setup *s, const float *x) {
    double sum = 0;
    for (size_t j = 0; j < s->size; j++) {
        double h = 0;
        for (size_t c = 0; c < s->dims; c++) h += (double)p[c * s->size + j] * (double)x[c];
        sum += (double)p[s->dims * s->size + j] * fmax(h, 0);
    }
    return sqrt(2.0 / (double)s->size) * sum;
}

static double walk(const float *p, const struct problem_setup *s, const float *x) {
    size_t nodes = 1, i = 0;
    for (size_t level = 0; level < s->size; level++) nodes = 2 * nodes + 1;
    for (size_t level = 0; level < s->size; level++) i = x[(int)p[i]] > 0 ? 2 * i + 2 : 2 * i + 1;
    return (double)p[nodes + i];
}

static const struct {
    const char *name;
    size_t size;
    formula *f;
} CASES[] = {
    {"linear", 0, dot},
    {"sparse_linear", 3, dot},
    {"noisy_linear", 0, dot},
    {"relu_net", 13, relu_net},
    {"decision_tree", 4, walk},
    {"quadratic", 0, squares},
    {"linear_classification", 0, sign},
};
enum { N_CASES = sizeof CASES / sizeof *CASES };

static const struct config_key *size_key(const struct problem *p) {
    for (size_t k = 0; p->size_key && k < p->n_keys; k++)
        if (strcmp(p->keys[k].name, p->size_key) == 0) return &p->keys[k];
    return NULL;
}

/* With the size of its case, and the other keys at their defaults: any registered problem. */
static struct problem_setup setup_at(size_t i, size_t dims) {
    const struct problem *p = problem_at(i);
    struct config *c = NULL;
    struct problem_setup s;
    char keys[128];
    (void)snprintf(keys, sizeof keys, "source = { problem = \"%s\"; dims = %zu; };", p->name, dims);
    SUCCEEDS(keys_open(&c, keys, &err));
    problem_setup_read(&s, config_stage_point(c, 0, 0));
    config_close(c);
    for (size_t k = 0; k < N_CASES; k++)
        if (strcmp(CASES[k].name, p->name) == 0) s.size = CASES[k].size;
    return s;
}

static void every_problem_is_whole(void **state) {
    (void)state;
    for (size_t i = 0; i < problem_count(); i++) {
        const struct problem *p = problem_at(i);
        assert_ptr_equal(problem_find(p->name), p);
        assert_true(strlen(p->meaning) > 0);
        assert_int_equal(p->size_key != NULL, size_key(p) != NULL);
        for (size_t k = 0; k < p->n_keys; k++) {
            assert_memory_equal(p->keys[k].name, "source.", 7);
            assert_memory_equal(p->keys[k].when, "source.problem=", 15);
            assert_string_equal(p->keys[k].when + 15, p->name);
        }
    }
    assert_null(problem_find("linnear"));
    assert_int_equal(problem_find("linear_classification")->loss, PROBLEM_CLASSIFICATION);
    assert_int_equal(problem_find("linear")->loss, PROBLEM_SQUARED);
}

static void values_follow_the_formulas(void **state) {
    (void)state;
    static float x[POINTS * DIMS], y[POINTS], p[ROOM];
    for (size_t k = 0; k < N_CASES; k++) {
        const struct problem_setup s = setup_of(CASES[k].name, DIMS, CASES[k].size);
        const struct rng r = rng_stream(3, CASES[k].name);
        assert_true(s.problem->parameters(&s) <= ROOM);
        for (uint64_t sample = 0; sample < 20; sample++) {
            draw_points(x, sample, POINTS, DIMS);
            s.problem->draw(p, &s, &r, sample, DIMS);
            s.problem->evaluate(y, p, &s, x, POINTS);
            for (size_t i = 0; i < POINTS; i++) {
                const double want = CASES[k].f(p, &s, x + i * DIMS);
                if (!(fabs((double)y[i] - want) <= 2e-6 * fmax(1, fabs(want))))
                    fail_msg("%s: expected %.9g, received %.9g", CASES[k].name, want, (double)y[i]);
            }
        }
    }
}

/* Mean of y^2 over functions and points, with the standard error of the functions' means. */
static double sampled_variance(double *error, const struct problem_setup *s, size_t functions,
                               size_t active) {
    enum { EACH = 4 };
    static float x[EACH * 20], y[EACH], p[ROOM];
    const struct rng r = rng_stream(5, s->problem->name);
    double sum = 0, squared = 0;
    for (uint64_t i = 0; i < functions; i++) {
        draw_points(x, i, EACH, s->dims);
        for (size_t j = 0; j < EACH * s->dims; j++)
            if (j % s->dims >= active) x[j] = 0;
        s->problem->draw(p, s, &r, i, active);
        s->problem->evaluate(y, p, s, x, EACH);
        double mean = 0;
        for (size_t j = 0; j < EACH; j++) mean += (double)y[j] * (double)y[j] / EACH;
        sum += mean, squared += mean * mean;
    }
    const double n = (double)functions, mean = sum / n;
    *error = sqrt(fmax(squared / n - mean * mean, 0) / n);
    return mean;
}

static void variances_are_exact(void **state) {
    (void)state;
    static const size_t actives[] = {20, 7, 2};
    for (size_t i = 0; i < problem_count(); i++)
        for (size_t a = 0; a < 3; a++) {
            const struct problem_setup s = setup_at(i, 20);
            double error = 0;
            const double got = sampled_variance(&error, &s, 8000, actives[a]);
            const double want = s.problem->variance(&s, actives[a]);
            if (!(fabs(got - want) <= 4 * error + 1e-9) || error > 0.07 * want)
                fail_msg("%s, %zu active: E[y^2] %.4f, sampled %.4f +- %.4f", s.problem->name,
                         actives[a], want, got, error);
        }
}

static void scale_noise_and_renormalisation_enter_the_variance(void **state) {
    (void)state;
    struct problem_setup s = setup_of("noisy_linear", 8, 0);
    s.scale = 3, s.noise = 2;
    assert_true(problem_variance(&s) == 9 * 8 + 4);
    s.renormalise = true;
    assert_true(problem_variance(&s) == 8);
}

static void sparse_support_is_uniform_among_the_active(void **state) {
    (void)state;
    enum { N = 6000, ACTIVE = 5 };
    const struct problem_setup s = setup_of("sparse_linear", DIMS, 3);
    const struct rng r = rng_stream(9, "support");
    size_t used[DIMS] = {0};
    float w[DIMS];
    for (uint64_t i = 0; i < N; i++) {
        size_t nonzero = 0;
        s.problem->draw(w, &s, &r, i, ACTIVE);
        for (size_t c = 0; c < DIMS; c++)
            if (w[c] != 0) used[c]++, nonzero++;
        assert_int_equal(nonzero, 3);
    }
    assert_int_equal(used[ACTIVE], 0);
    for (size_t c = 0; c < ACTIVE; c++) /* binomial, p = 3/5: sd 38 */
        assert_in_range(used[c], N * 3 / 5 - 190, N * 3 / 5 + 190);
    s.problem->draw(w, &s, &r, 0, 2); /* fewer active than nonzero: all of them */
    assert_true(w[0] != 0 && w[1] != 0 && w[2] == 0);
}

static void tree_coordinates_are_uniform_among_the_active(void **state) {
    (void)state;
    enum { N = 1000, ACTIVE = 4, DEPTH = 4, NODES = 31, INNER = 15 };
    const struct problem_setup s = setup_of("decision_tree", DIMS, DEPTH);
    const struct rng r = rng_stream(9, "tree");
    size_t used[DIMS] = {0};
    float p[2 * NODES];
    assert_int_equal(s.problem->parameters(&s), 2 * NODES);
    for (uint64_t i = 0; i < N; i++) {
        s.problem->draw(p, &s, &r, i, ACTIVE);
        for (size_t node = 0; node < INNER; node++) used[(size_t)p[node]]++;
        for (size_t node = INNER; node < NODES; node++) assert_true(p[node] == 0);
    }
    for (size_t c = 0; c < ACTIVE; c++) /* binomial, p = 1/4: sd 53 */
        assert_in_range(used[c], N * INNER / ACTIVE - 265, N * INNER / ACTIVE + 265);
    for (size_t c = ACTIVE; c < DIMS; c++) assert_int_equal(used[c], 0);
}

static void a_tree_at_zero_goes_left(void **state) {
    (void)state;
    const struct problem_setup s = setup_of("decision_tree", 2, 1);
    const float p[6] = {1, 0, 0, /* values */ 9, 4, 5};
    const float x[6] = {8, 0, -8, 1, 8, -1};
    float y[3];
    s.problem->evaluate(y, p, &s, x, 3);
    assert_true(y[0] == 4 && y[1] == 5 && y[2] == 4);
}

static void deeper_and_wider_keep_the_first_draws(void **state) {
    (void)state;
    static float small[ROOM], large[ROOM];
    const struct rng r = rng_stream(2, "prefix");
    const struct problem_setup shallow = setup_of("decision_tree", 3, 2);
    const struct problem_setup deep = setup_of("decision_tree", 3, 5);
    shallow.problem->draw(small, &shallow, &r, 4, 3);
    deep.problem->draw(large, &deep, &r, 4, 3);
    assert_memory_equal(small, large, 3 * sizeof(float)); /* coordinates of 3 inner nodes */
    assert_memory_equal(small + 7, large + 63, 7 * sizeof(float)); /* values */
    const struct problem_setup narrow = setup_of("linear", 3, 0), wide = setup_of("linear", 9, 0);
    narrow.problem->draw(small, &narrow, &r, 4, 3);
    wide.problem->draw(large, &wide, &r, 4, 9);
    assert_memory_equal(small, large, 3 * sizeof(float));
}

static int begin(void **state) {
    (void)scratch_begin(state);
    return source_schema(&keys_schema, &err) == ERR_OK ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_problem_is_whole),
        cmocka_unit_test(values_follow_the_formulas),
        cmocka_unit_test(variances_are_exact),
        cmocka_unit_test(scale_noise_and_renormalisation_enter_the_variance),
        cmocka_unit_test(sparse_support_is_uniform_among_the_active),
        cmocka_unit_test(tree_coordinates_are_uniform_among_the_active),
        cmocka_unit_test(a_tree_at_zero_goes_left),
        cmocka_unit_test(deeper_and_wider_keep_the_first_draws),
    };
    return cmocka_run_group_tests(tests, begin, keys_end);
}
