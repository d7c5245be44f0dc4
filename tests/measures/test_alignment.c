/* Reference values: NumPy 2.4, SciPy 1.17 (wasserstein_distance, ks_2samp, linalg.sqrtm,
 * linalg.subspace_angles), scikit-learn 1.9 (PCA). The constructed cases are a set and itself, one
 * that is rotated in a plane, and one that is shifted. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "measures/alignment.h"
#include "measures/drawn.h"
#include "ops/blas.h"

enum { AXES_MOST = 8 };
static const double TIGHT = 1e-9;

struct pair {
    struct cloud a, b;
    struct alignment found;
    double cosines[AXES_MOST];
};

static struct pair pair_create(size_t n, size_t E) {
    struct pair p = {0};
    assert_int_equal(cloud_create(&p.a, n, E, NULL), ERR_OK);
    assert_int_equal(cloud_create(&p.b, n, E, NULL), ERR_OK);
    return p;
}

static void pair_measure(struct pair *p, size_t axes) {
    assert_int_equal(cloud_measure(&p->a, NULL), ERR_OK);
    assert_int_equal(cloud_measure(&p->b, NULL), ERR_OK);
    assert_int_equal(alignment_of(&p->found, p->cosines, &p->a, &p->b, axes, NULL), ERR_OK);
}

static void pair_destroy(struct pair *p) {
    cloud_destroy(&p->a);
    cloud_destroy(&p->b);
}

static void as_other_programs(void **state) {
    static const struct {
        size_t n, E, axes;
        struct alignment wanted;
        double explained;
    } cases[] = {
        {60,
         7,
         3,
         {0.156122232204, 0.1, 6.13878941274, 2.62721560775, 0.0911328903978, 0.891853432302,
          29.9211518578},
         0.779336691139},
        {40,
         12,
         5,
         {0.400191651579, 0.2, 30.0349438746, 11.9242492106, 0.118657062597, 0.851458420029,
          45.006175227},
         0.824806687471},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct alignment *wanted = &cases[i].wanted;
        struct pair p = pair_create(cases[i].n, cases[i].E);
        drawn_cloud(p.a.x, p.a.n, p.a.E, 1, 1.0, 0.3);
        drawn_cloud(p.b.x, p.b.n, p.b.E, 2, 1.4, 0.8);
        pair_measure(&p, cases[i].axes);
        near(p.found.wasserstein, wanted->wasserstein, TIGHT);
        near(p.found.kolmogorov_smirnov, wanted->kolmogorov_smirnov, TIGHT);
        near(p.found.frechet, wanted->frechet, TIGHT);
        near(p.found.mean_shift, wanted->mean_shift, TIGHT);
        near(p.found.cka, wanted->cka, TIGHT);
        near(p.found.overlap, wanted->overlap, TIGHT);
        near(p.found.angle, wanted->angle, TIGHT);
        near(cloud_explained(&p.a, cases[i].axes), cases[i].explained, TIGHT);
        pair_destroy(&p);
    }
}

static void set_and_itself(void **state) {
    (void)state;
    struct pair p = pair_create(50, 6);
    drawn_cloud(p.a.x, 50, 6, 7, 1.0, 0.5);
    memcpy(p.b.x, p.a.x, 50 * 6 * sizeof *p.a.x);
    pair_measure(&p, 4);
    near(p.found.wasserstein, 0, TIGHT);
    near(p.found.kolmogorov_smirnov, 0, TIGHT);
    near(p.found.frechet, 0, TIGHT);
    near(p.found.cka, 1, TIGHT);
    near(p.found.overlap, 1, TIGHT);
    near(p.found.angle, 0, 1e-5);
    pair_destroy(&p);
}

/* Axes 0 and 2 of the space turn by an angle. The points lie in the plane of axes 0 and 1, so that
 * the spaces of their two principal axes meet at that angle. CKA ignores rotations. */
static void planted_rotation(void **state) {
    static const double DEGREES = 25, PI = 3.14159265358979323846;
    const double c = cos(DEGREES * PI / 180), s = sin(DEGREES * PI / 180);
    (void)state;
    struct pair p = pair_create(40, 3);
    drawn_cloud(p.a.x, 40, 3, 9, 1.0, 0.0);
    for (size_t i = 0; i < 40; i++) {
        double *x = p.a.x + 3 * i, *y = p.b.x + 3 * i;
        x[0] *= 4;
        x[2] = 0;
        y[0] = c * x[0];
        y[1] = x[1];
        y[2] = s * x[0];
    }
    pair_measure(&p, 2);
    near(p.found.angle, DEGREES, 1e-6);
    near(p.cosines[0], 1, TIGHT);
    near(p.cosines[1], c, TIGHT);
    near(p.found.overlap, (1 + c * c) / 2, TIGHT);
    near(p.found.cka, 1, TIGHT);
    assert_true(p.found.frechet > 0.1);
    pair_destroy(&p);
}

/* A shift moves the mean and nothing else: the squared Frechet distance is its squared length. */
static void planted_shift(void **state) {
    (void)state;
    struct pair p = pair_create(50, 5);
    drawn_cloud(p.a.x, 50, 5, 11, 1.0, 3.0);
    for (size_t i = 0; i < 50 * 5; i++) p.b.x[i] = p.a.x[i] + 0.25 * (double)(i % 5);
    pair_measure(&p, 5);
    near(p.found.mean_shift, 0.0625 * (1 + 4 + 9 + 16), TIGHT);
    near(p.found.frechet, p.found.mean_shift, TIGHT);
    near(p.found.cka, 1, TIGHT);
    near(p.found.angle, 0, 1e-5);
    pair_destroy(&p);
}

/* Points without variance have no axes and nothing that could be aligned. */
static void equal_points(void **state) {
    (void)state;
    struct pair p = pair_create(10, 3);
    drawn_cloud(p.a.x, 10, 3, 5, 1.0, 0.0);
    for (size_t i = 0; i < 30; i++) p.b.x[i] = 2.0;
    pair_measure(&p, 2);
    assert_true(isnan(p.found.cka) && isnan(p.found.overlap) && isnan(p.found.angle));
    assert_true(isnan(p.cosines[0]) && isnan(p.cosines[1]));
    assert_true(isfinite(p.found.frechet));
    pair_destroy(&p);
}

static void not_finite(void **state) {
    struct err err;
    (void)state;
    struct pair p = pair_create(10, 3);
    p.a.x[4] = (double)NAN;
    assert_int_equal(cloud_measure(&p.a, &err), ERR_NUMERIC);
    pair_destroy(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_other_programs), cmocka_unit_test(set_and_itself),
        cmocka_unit_test(planted_rotation),  cmocka_unit_test(planted_shift),
        cmocka_unit_test(equal_points),      cmocka_unit_test(not_finite),
    };
    blas_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
