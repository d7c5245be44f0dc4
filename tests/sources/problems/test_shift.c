/* The law of every shift, on draws whose unshifted twin is known. */
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

enum { D = 6, T = 9, N = 4 };

static struct err err;

static struct prompts_setup source_of(const char *problem, const char *shift, double level) {
    struct prompts_setup s = {
        .setup = {.problem = problem_find(problem), .dims = D, .size = 3, .scale = 1},
        .seed = 42,
        .shift = {.shift = shift_find(shift), .level = level}};
    (void)snprintf(s.split, sizeof s.split, "test");
    return s;
}

static struct prompts drawn(const struct prompts_setup *source, uint64_t first, size_t n,
                            size_t points) {
    struct prompts p;
    SUCCEEDS(prompts_create(&p, source, n, points, &err));
    prompts_draw(&p, source, first, source->setup.dims);
    return p;
}

static const float *prompts_query(const struct prompts *p, size_t i, size_t k) {
    const struct prompt_view view = prompts_view(p);
    return prompt_view_query(&view, i, k);
}

static const float *prompts_labels(const struct prompts *p, size_t i, size_t k) {
    const struct prompt_view view = prompts_view(p);
    return prompt_view_labels(&view, i, k);
}

static const float *prompts_targets(const struct prompts *p) {
    const struct prompt_view view = prompts_view(p);
    return prompt_view_targets(&view);
}

static double dot(const float *a, const float *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

struct pair_of_prompts { /* shifted, and the same draws without a shift */
    struct prompts_setup source;
    struct prompts got, clean;
};

static struct pair_of_prompts both(const char *shift, double level) {
    struct pair_of_prompts b = {.source = source_of("linear", shift, level)};
    const struct prompts_setup clean = source_of("linear", "none", 0);
    b.got = drawn(&b.source, 3, N, T);
    b.clean = drawn(&clean, 3, N, T);
    return b;
}

static void both_free(struct pair_of_prompts *b) {
    prompts_destroy(&b->got);
    prompts_destroy(&b->clean);
}

/* Every y of context and query is the value of the function at its x, unless the shift changes y.
 */
static void expect_true_values(const struct prompts *p) {
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < T; k++) {
            const float *w = p->functions + i * D;
            const double want = dot(w, prompts_query(p, i, k), D);
            assert_true(fabs(want - (double)prompts_targets(p)[i * T + k]) < 1e-5);
            assert_true(fabs(dot(w, p->x + (i * T + k) * D, D) - (double)p->y[i * T + k]) < 1e-5);
        }
}

/* `none` and no shift give the same draws: those of every checkpoint and fit. */
static void none_changes_no_bit(void **state) {
    (void)state;
    for (size_t i = 0; i < problem_count(); i++) {
        struct prompts_setup none = source_of(problem_at(i)->name, "none", 0), bare = none;
        none.setup.noise = bare.setup.noise = 0.5;
        bare.shift = (struct shift_setup){0};
        struct prompts a = drawn(&none, 5, N, T), b;
        SUCCEEDS(prompts_create(&b, &bare, N, T, &err));
        prompts_draw(&b, &bare, 5, D);
        assert_memory_equal(a.x, b.x, sizeof(float) * N * T * D);
        assert_memory_equal(a.y, b.y, sizeof(float) * N * T);
        assert_true(!a.query_x && !a.query_y && !a.shown_y);
        prompts_destroy(&a), prompts_destroy(&b);
    }
}

/* The same draws: functions (except of noisy_as_published), for any batch and any length. */
static void shifts_transform_the_same_draws(void **state) {
    (void)state;
    for (size_t s = 0; s < shift_count(); s++) {
        const struct shift *shift = shift_at(s);
        struct pair_of_prompts b = both(shift->name, 2);
        struct prompts one = drawn(&b.source, 5, 1, T - 3);
        const bool same = memcmp(b.got.functions, b.clean.functions, sizeof(float) * N * D) == 0;
        assert_int_equal(same, shift->function == NULL);
        assert_memory_equal(one.x, b.got.x + 2 * T * D, sizeof(float) * (T - 3) * D);
        for (size_t k = 0; k < T - 3; k++) { /* sample 5 is row 2 */
            assert_memory_equal(prompts_query(&one, 0, k), prompts_query(&b.got, 2, k),
                                sizeof(float) * D);
            assert_memory_equal(prompts_labels(&one, 0, k), prompts_labels(&b.got, 2, k),
                                sizeof(float) * k);
            assert_true(prompts_targets(&one)[k] == prompts_targets(&b.got)[2 * T + k]);
        }
        prompts_destroy(&one);
        both_free(&b);
    }
}

/* Eigenvalues of x -> x S, from what S does: prepared once, S = U diag(e) U^T with rows of U kept
 * behind it. |S|^2 = D, S u_i = e_i u_i, e_i as documented, U orthonormal. */
static void expect_spectrum(const char *name, const double *law) {
    const struct shift *shift = shift_find(name);
    double work[2 * D * D + D], square = 0;
    const struct rng stream = rng_stream(7, "spectrum");
    assert_int_equal(shift->work(D), sizeof work / sizeof *work);
    shift->prepare(work, D, &stream);
    const double *u = work + D * D;
    for (size_t i = 0; i < D * D; i++) {
        square += work[i] * work[i];
        assert_true(fabs(work[i] - work[i % D * D + i / D]) < 1e-14);
    }
    assert_true(fabs(square - D) < 1e-12);
    for (size_t i = 0; i < D; i++)
        for (size_t c = 0; c < D; c++) {
            double image = 0, along = 0;
            for (size_t r = 0; r < D; r++) {
                image += u[i * D + r] * work[r * D + c];
                along += u[i * D + r] * u[c * D + r];
            }
            assert_true(fabs(image - law[i] * u[i * D + c]) < 1e-12);
            assert_true(fabs(along - (i == c)) < 1e-12);
        }
}

static void spectra_are_the_published_ones(void **state) {
    (void)state;
    double skewed[D], half[D], square = 0;
    for (size_t i = 0; i < D; i++) square += 1 / (double)((i + 1) * (i + 1));
    for (size_t i = 0; i < D; i++) {
        skewed[i] = sqrt(D / square) / (double)(i + 1);
        half[i] = i < D / 2 ? sqrt(2) : 0;
    }
    expect_spectrum("skewed", skewed);
    expect_spectrum("half_subspace", half);
}

/* One linear map for all points of all prompts; values follow. */
static void covariances_are_one_map(void **state) {
    (void)state;
    static const char *const names[] = {"skewed", "half_subspace"};
    for (size_t s = 0; s < 2; s++) {
        struct pair_of_prompts b = both(names[s], 0);
        const double *S = b.got.work;
        for (size_t i = 0; i < (size_t)N * T; i++)
            for (size_t c = 0; c < D; c++) {
                double want = 0;
                for (size_t r = 0; r < D; r++) want += (double)b.clean.x[i * D + r] * S[r * D + c];
                assert_true(fabs(want - (double)b.got.x[i * D + c]) < 1e-5);
            }
        expect_true_values(&b.got);
        both_free(&b);
    }
}

/* y' = f (y + sigma eps): with sigma 0 nothing changes; the noise is standard; E[y^2] is kept. */
static void noise_is_true_and_of_the_same_function(void **state) {
    (void)state;
    struct pair_of_prompts quiet = both("noisy", 0), noisy = both("noisy", 2);
    assert_memory_equal(quiet.got.y, quiet.clean.y, sizeof(float) * N * T);
    const double factor = sqrt(D / (D + 4.0));
    const struct rng stream = rng_stream(42, "linear/test/noisy");
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < T; k++) {
            float eps;
            rng_normals(&eps, 1, &stream, 3 + i, k);
            const double want = factor * ((double)noisy.clean.y[i * T + k] + 2 * (double)eps);
            assert_true(fabs(want - (double)noisy.got.y[i * T + k]) < 1e-5);
        }
    noisy.source.shift.variant = 1; /* not renormalised */
    struct prompts raw = drawn(&noisy.source, 3, N, T);
    for (size_t i = 0; i < (size_t)N * T; i++)
        assert_true(fabs((double)raw.y[i] * factor - (double)noisy.got.y[i]) < 1e-5);
    assert_true(!raw.query_y);
    prompts_destroy(&raw);
    both_free(&quiet);
    both_free(&noisy);
}

static void the_published_noise_is_another_function(void **state) {
    (void)state;
    struct pair_of_prompts b = both("noisy_as_published", 0);
    assert_memory_equal(b.got.x, b.clean.x, sizeof(float) * N * T * D);
    expect_true_values(&b.got); /* of the new functions, without noise */
    both_free(&b);
}

static void orthogonal_queries_are_orthogonal(void **state) {
    (void)state;
    struct pair_of_prompts b = both("orthogonal", 0);
    assert_memory_equal(b.got.x, b.clean.x, sizeof(float) * N * T * D);
    expect_true_values(&b.got);
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < D; k++) {
            const float *query = prompts_query(&b.got, i, k), *x = b.got.x + (i * T + k) * D;
            assert_true(fabs(dot(query, query, D) / dot(x, x, D) - 1) < 1e-5);
            for (size_t j = 0; j < k; j++)
                assert_true(fabs(dot(query, b.got.x + (i * T + j) * D, D)) < 1e-5);
            if (k == 0) assert_memory_equal(query, x, sizeof(float) * D);
        }
    assert_int_equal(shift_points(&b.source.shift, D, T), D);
    assert_int_equal(shift_points(&b.source.shift, D, 3), 3);
    both_free(&b);
}

/* Inputs that repeat leave nothing orthogonal: zeros, never a division by them. */
static void nothing_left_is_zero(void **state) {
    (void)state;
    const struct shift_setup setup = {.shift = shift_find("orthogonal")};
    const struct problem_setup problem = {.problem = problem_find("linear"), .dims = 2};
    float x[4] = {1, 2, 1, 2}, query[4];
    double work[6];
    const struct shift_prompt p = {
        .setup = &setup, .problem = &problem, .points = 2, .x = x, .query_x = query, .work = work};
    setup.shift->covariates(&p);
    assert_true(query[0] == 1 && query[1] == 2 && query[2] == 0 && query[3] == 0);
}

static void a_context_stays_in_its_quadrant(void **state) {
    (void)state;
    struct pair_of_prompts b = both("random_quadrants", 0);
    size_t negative = 0;
    expect_true_values(&b.got);
    assert_memory_equal(b.got.query_x, b.clean.x, sizeof(float) * N * T * D);
    for (size_t i = 0; i < N; i++)
        for (size_t c = 0; c < D; c++) {
            const bool sign = b.got.x[i * T * D + c] < 0;
            negative += sign;
            for (size_t k = 0; k < T; k++) {
                const size_t at = (i * T + k) * D + c;
                assert_int_equal(b.got.x[at] < 0, sign);
                assert_true(fabsf(b.got.x[at]) == fabsf(b.clean.x[at]));
            }
        }
    assert_true(negative > 0 && negative < (size_t)N * D);
    both_free(&b);
}

static void overlapping_queries_were_shown(void **state) {
    (void)state;
    struct pair_of_prompts b = both("overlapping", 0);
    bool early = false;
    expect_true_values(&b.got);
    for (size_t i = 0; i < N; i++) {
        assert_memory_equal(prompts_query(&b.got, i, 0), b.got.x + i * T * D, sizeof(float) * D);
        for (size_t k = 1; k < T; k++) {
            size_t from = 0;
            const float *query = prompts_query(&b.got, i, k);
            while (from < k && memcmp(query, b.got.x + (i * T + from) * D, sizeof(float) * D) != 0)
                from++;
            assert_true(from < k);
            assert_true(prompts_targets(&b.got)[i * T + k] == b.got.y[i * T + from]);
            early |= from + 1 < k;
        }
    }
    assert_true(early); /* not always the last one */
    both_free(&b);
}

static void scales_scale(void **state) {
    (void)state;
    struct pair_of_prompts x = both("scale_x", 3), y = both("scale_y", 0.5);
    expect_true_values(&x.got);
    for (size_t i = 0; i < (size_t)N * T * D; i++)
        assert_true(fabs((double)x.got.x[i] - 3 * (double)x.clean.x[i]) < 1e-6);
    assert_memory_equal(y.got.x, y.clean.x, sizeof(float) * N * T * D);
    for (size_t i = 0; i < (size_t)N * T; i++) assert_true(y.got.y[i] == 0.5F * y.clean.y[i]);
    both_free(&x);
    both_free(&y);
}

/* After k examples their own labels in another order, so their sum is kept; the target is true. */
static void labels_are_permuted_within_the_prompt(void **state) {
    (void)state;
    struct pair_of_prompts b = both("shuffled_labels", 0);
    size_t moved = 0;
    expect_true_values(&b.got);
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < T; k++) {
            const float *shown = prompts_labels(&b.got, i, k), *y = b.clean.y + i * T;
            bool used[T] = {false};
            for (size_t j = 0; j < k; j++) {
                size_t from = 0;
                while (from < k && (used[from] || shown[j] != y[from])) from++;
                assert_true(from < k);
                used[from] = true;
                moved += from != j;
            }
            for (size_t j = k; j < T; j++) assert_true(shown[j] == 0); /* nothing of the future */
        }
    assert_true(moved > (size_t)N * T);
    both_free(&b);
}

/* The published factor of a batch multiplies what is asked and what is shown alike. */
static void renormalising_covers_queries_and_labels(void **state) {
    (void)state;
    static const char *const names[] = {"overlapping", "shuffled_labels"};
    for (size_t s = 0; s < 2; s++) {
        struct prompts_setup source = source_of("noisy_linear", names[s], 0);
        source.setup.noise = 1;
        struct prompts raw = drawn(&source, 0, N, T);
        source.setup.renormalise = true;
        struct prompts p = drawn(&source, 0, N, T);
        const double factor = (double)p.y[0] / (double)raw.y[0];
        assert_true(fabs(factor - 1) > 1e-3);
        for (size_t i = 0; i < (size_t)N * T; i++) {
            assert_true(fabs((double)prompts_targets(&raw)[i] * factor -
                             (double)prompts_targets(&p)[i]) < 1e-5);
            assert_true(fabs((double)prompts_labels(&raw, 1, T - 1)[i % T] * factor -
                             (double)prompts_labels(&p, 1, T - 1)[i % T]) < 1e-5);
        }
        prompts_destroy(&raw), prompts_destroy(&p);
    }
}

static void every_shift_says_what_it_is(void **state) {
    (void)state;
    assert_ptr_equal(shift_at(0), shift_find("none"));
    assert_null(shift_find("skewd"));
    for (size_t i = 0; i < shift_count(); i++) {
        const struct shift *s = shift_at(i);
        assert_ptr_equal(shift_find(s->name), s);
        assert_true(s->meaning[0] && s->paper);
        assert_true(!s->prepare || s->work);
        for (size_t k = 0; k < s->n_keys; k++) {
            char when[64];
            (void)snprintf(when, sizeof when, "shift=%s", s->name);
            assert_string_equal(s->keys[k].when, when);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_changes_no_bit),
        cmocka_unit_test(shifts_transform_the_same_draws),
        cmocka_unit_test(spectra_are_the_published_ones),
        cmocka_unit_test(covariances_are_one_map),
        cmocka_unit_test(noise_is_true_and_of_the_same_function),
        cmocka_unit_test(the_published_noise_is_another_function),
        cmocka_unit_test(orthogonal_queries_are_orthogonal),
        cmocka_unit_test(nothing_left_is_zero),
        cmocka_unit_test(a_context_stays_in_its_quadrant),
        cmocka_unit_test(overlapping_queries_were_shown),
        cmocka_unit_test(scales_scale),
        cmocka_unit_test(labels_are_permuted_within_the_prompt),
        cmocka_unit_test(renormalising_covers_queries_and_labels),
        cmocka_unit_test(every_shift_says_what_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
