#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sources/problems/prompts.h"
#include "twins/error_says.h"

static struct err err;

static struct prompts_setup source_of(const char *problem, const char *split, size_t dims,
                                      size_t size) {
    struct prompts_setup s = {
        .setup = {.problem = problem_find(problem), .dims = dims, .size = size, .scale = 1},
        .seed = 42};
    (void)snprintf(s.split, sizeof s.split, "%s", split);
    return s;
}

static struct prompts drawn(const struct prompts_setup *source, uint64_t first, size_t n,
                            size_t points, size_t active) {
    struct prompts p;
    SUCCEEDS(prompts_create(&p, source, n, points, &err));
    prompts_draw(&p, source, first, active);
    return p;
}

static size_t size_of(const char *problem) { return strcmp(problem, "decision_tree") == 0 ? 4 : 3; }

static void a_longer_prompt_extends_a_shorter_one(void **state) {
    (void)state;
    enum { D = 5, N = 3, SHORT = 4, LONG = 11 };
    for (size_t k = 0; k < problem_count(); k++) {
        const char *name = problem_at(k)->name;
        struct prompts_setup source = source_of(name, "fit/0", D, size_of(name));
        source.setup.noise = 0.5;
        struct prompts a = drawn(&source, 7, N, SHORT, D), b = drawn(&source, 7, N, LONG, D);
        for (size_t i = 0; i < N; i++) {
            assert_memory_equal(a.x + i * SHORT * D, b.x + i * LONG * D, SHORT * D * sizeof *a.x);
            assert_memory_equal(a.y + i * SHORT, b.y + i * LONG, SHORT * sizeof *a.y);
        }
        prompts_destroy(&a), prompts_destroy(&b);
    }
}

static void a_sample_is_the_same_in_any_batch(void **state) {
    (void)state;
    enum { D = 5, T = 6 };
    for (size_t k = 0; k < problem_count(); k++) {
        const char *name = problem_at(k)->name;
        struct prompts_setup source = source_of(name, "test", D, size_of(name));
        source.setup.noise = 0.5;
        const size_t parameters = source.setup.problem->parameters(&source.setup);
        struct prompts all = drawn(&source, 100, 8, T, D);
        for (size_t i = 8; i-- > 0;) { /* one at a time, backwards */
            struct prompts one = drawn(&source, 100 + i, 1, T, D);
            assert_memory_equal(one.x, all.x + i * T * D, T * D * sizeof *one.x);
            assert_memory_equal(one.y, all.y + i * T, T * sizeof *one.y);
            assert_memory_equal(one.functions, all.functions + i * parameters,
                                parameters * sizeof *one.functions);
            prompts_destroy(&one);
        }
        prompts_destroy(&all);
    }
}

/* The draws are a promise to every trained checkpoint: the documented streams, and nothing else. */
static void draws_are_the_documented_ones(void **state) {
    (void)state;
    enum { D = 3, T = 2 };
    struct prompts_setup source = source_of("noisy_linear", "pretrain", D, 0);
    source.setup.noise = 0.25, source.setup.scale = 2;
    struct prompts p = drawn(&source, 9, 1, T, D);
    const struct rng function = rng_stream(42, "noisy_linear/pretrain/function");
    const struct rng covariate = rng_stream(42, "noisy_linear/pretrain/covariate");
    const struct rng noise = rng_stream(42, "noisy_linear/pretrain/noise");
    float w[D], x[D], eps;
    rng_normals(w, D, &function, 9, 0);
    assert_memory_equal(w, p.functions, sizeof w);
    for (size_t i = 0; i < T; i++) {
        rng_normals(x, D, &covariate, 9, i);
        rng_normals(&eps, 1, &noise, 9, i);
        assert_memory_equal(x, p.x + i * D, sizeof x);
        double y = 0;
        for (size_t c = 0; c < D; c++) y += (double)w[c] * (double)x[c];
        assert_true(fabs((double)p.y[i] - (2 * y + 0.25 * (double)eps)) < 1e-6);
    }
    prompts_destroy(&p);
}

static void names_of_streams_tell_draws_apart(void **state) {
    (void)state;
    struct prompts_setup a = source_of("linear", "fit/0", 4, 0);
    struct prompts_setup b = source_of("linear", "fit/1", 4, 0);
    struct prompts_setup c = source_of("quadratic", "fit/0", 4, 0);
    struct prompts_setup d = source_of("linear", "fit/0", 4, 0);
    d.seed = 43;
    const struct prompts_setup *others[] = {&b, &c, &d};
    struct prompts p = drawn(&a, 0, 2, 3, 4);
    for (size_t i = 0; i < 3; i++) {
        struct prompts q = drawn(others[i], 0, 2, 3, 4);
        assert_memory_not_equal(p.x, q.x, 2 * 3 * 4 * sizeof *p.x);
        assert_memory_not_equal(p.functions, q.functions, 2 * 4 * sizeof *p.x);
        prompts_destroy(&q);
    }
    prompts_destroy(&p);
}

static void inactive_coordinates_are_zero_and_change_no_other(void **state) {
    (void)state;
    enum { D = 6, ACTIVE = 4, T = 5 };
    struct prompts_setup source = source_of("linear", "pretrain", D, 0);
    struct prompts few = drawn(&source, 0, 3, T, ACTIVE), all = drawn(&source, 0, 3, T, D);
    for (size_t i = 0; i < (size_t)3 * T * D; i++)
        assert_true(few.x[i] == (i % D < ACTIVE ? all.x[i] : 0));
    for (size_t i = 0; i < (size_t)3 * T; i++) {
        double y = 0;
        for (size_t c = 0; c < ACTIVE; c++)
            y += (double)few.functions[i / T * D + c] * (double)few.x[i * D + c];
        assert_true(fabs((double)few.y[i] - y) < 1e-6);
    }
    prompts_destroy(&few), prompts_destroy(&all);
}

static void covariates_and_noise_are_standard_normal(void **state) {
    (void)state;
    enum { N = 2000, T = 10, D = 5 };
    struct prompts_setup clean = source_of("noisy_linear", "test", D, 0), noisy = clean;
    noisy.setup.noise = 3;
    struct prompts a = drawn(&clean, 0, N, T, D), b = drawn(&noisy, 0, N, T, D);
    double mean = 0, square = 0, noise = 0;
    for (size_t i = 0; i < (size_t)N * T * D; i++) {
        mean += (double)a.x[i];
        square += (double)a.x[i] * (double)a.x[i];
    }
    for (size_t i = 0; i < (size_t)N * T; i++) noise += pow((double)b.y[i] - (double)a.y[i], 2);
    assert_true(fabs(mean / (N * T * D)) < 4 * sqrt(1.0 / (N * T * D)));
    assert_true(fabs(square / (N * T * D) - 1) < 4 * sqrt(2.0 / (N * T * D)));
    assert_true(fabs(noise / (N * T) / 9 - 1) < 4 * sqrt(2.0 / (N * T)));
    prompts_destroy(&a), prompts_destroy(&b);
}

static void renormalised_batches_have_the_variance_of_dims(void **state) {
    (void)state;
    enum { N = 30, T = 7, D = 5 };
    struct prompts_setup source = source_of("noisy_linear", "test", D, 0);
    source.setup.noise = 1;
    struct prompts before = drawn(&source, 0, N, T, D);
    source.setup.renormalise = true;
    struct prompts after = drawn(&source, 0, N, T, D);
    double mean = 0, square = 0;
    for (size_t i = 0; i < (size_t)N * T; i++) mean += (double)after.y[i] / (N * T);
    for (size_t i = 0; i < (size_t)N * T; i++) square += pow((double)after.y[i] - mean, 2);
    assert_true(fabs(square / (N * T - 1) - D) < 1e-5);
    const double factor = (double)after.y[0] / (double)before.y[0];
    for (size_t i = 0; i < (size_t)N * T; i++)
        assert_true(fabs((double)after.y[i] - factor * (double)before.y[i]) < 1e-5);
    prompts_destroy(&before), prompts_destroy(&after);
    float one = 3, equal[3] = {2, 2, 2};
    prompts_renormalise(&one, 1, 5);
    prompts_renormalise(equal, 3, 5);
    assert_true(one == 3 && equal[0] == 2 && equal[2] == 2);
}

static void sizes_that_no_memory_holds(void **state) {
    (void)state;
#ifndef __SANITIZE_ADDRESS__ /* which ends the program where malloc would return NULL */
    struct prompts p;
    const struct prompts_setup source = source_of("linear", "test", 1000, 0);
    ERROR_SAYS(prompts_create(&p, &source, 1000000, 1000000, &err), ERR_MEMORY, "cannot allocate");
    prompts_destroy(&p);
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_longer_prompt_extends_a_shorter_one),
        cmocka_unit_test(a_sample_is_the_same_in_any_batch),
        cmocka_unit_test(draws_are_the_documented_ones),
        cmocka_unit_test(names_of_streams_tell_draws_apart),
        cmocka_unit_test(inactive_coordinates_are_zero_and_change_no_other),
        cmocka_unit_test(covariates_and_noise_are_standard_normal),
        cmocka_unit_test(renormalised_batches_have_the_variance_of_dims),
        cmocka_unit_test(sizes_that_no_memory_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
