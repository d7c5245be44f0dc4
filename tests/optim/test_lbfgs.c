#include "optim/lbfgs.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "twins/error_says.h"
#include "twins/ops_twin.h"

enum { N_MAX = 24, STEPS = 400 };

static struct err err;

struct problem { /* counts evaluations; stops after `most` */
    size_t n, asked, most;
    double (*at)(double *g, const double *w, size_t n);
};

static enum err_code evaluate(void *context, double *loss, float *gradient, const float *w,
                              struct err *e) {
    struct problem *p = context;
    double x[N_MAX], g[N_MAX];
    if (p->asked++ >= p->most) return ERR(e, ERR_STOPPED, "asked to stop");
    for (size_t i = 0; i < p->n; i++) x[i] = (double)w[i];
    *loss = p->at(g, x, p->n);
    for (size_t i = 0; i < p->n; i++) gradient[i] = (float)g[i];
    return ERR_OK;
}

/* Rosenbrock's function: minimum 0 at ones, at the end of a curved valley. */
static double rosenbrock(double *g, const double *w, size_t n) {
    double sum = 0;
    memset(g, 0, n * sizeof *g);
    for (size_t i = 0; i + 1 < n; i++) {
        const double a = w[i + 1] - w[i] * w[i], b = 1 - w[i];
        sum += 100 * a * a + b * b;
        g[i] += -400 * a * w[i] - 2 * b;
        g[i + 1] += 200 * a;
    }
    return sum;
}

/* Curvatures from 1 to 100, minimum 2 at 1, -1/2, 1/3, .. */
static double target(size_t i) { return (i % 2 ? -1.0 : 1.0) / (double)(i + 1); }

static double quadratic(double *g, const double *w, size_t n) {
    double sum = 2;
    for (size_t i = 0; i < n; i++) {
        const double c = pow(10, 2.0 * (double)i / (double)(n - 1)), e = w[i] - target(i);
        sum += c * e * e / 2;
        g[i] = c * e;
    }
    return sum;
}

static double broken(double *g, const double *w, size_t n) {
    const double loss = quadratic(g, w, n);
    return fabs(w[0]) > 2 ? (double)NAN : loss; /* a first step may leave the domain */
}

struct run {
    struct problem p;
    struct lbfgs b;
    struct lbfgs_function f;
    float w[N_MAX], *memory;
    size_t steps;
};

static void run_init(struct run *r, double (*at)(double *, const double *, size_t), size_t n,
                     float start) {
    *r = (struct run){.p = {n, 0, SIZE_MAX, at}};
    r->memory = calloc(lbfgs_floats(n), sizeof *r->memory);
    assert_non_null(r->memory);
    lbfgs_lay_out(&r->b, r->memory, n);
    r->f = (struct lbfgs_function){evaluate, &r->p};
    for (size_t i = 0; i < n; i++) r->w[i] = i % 2 ? start : -start;
    SUCCEEDS(lbfgs_begin(&r->b, &r->f, r->w, &err));
}

/* Every step lowers the loss, and the loss is that at w. */
static bool step(struct run *r) {
    bool moved;
    double before = r->b.loss, loss;
    float g[N_MAX];
    SUCCEEDS(lbfgs_step(r->w, &moved, &r->b, &r->f, &err));
    SUCCEEDS(evaluate(&r->p, &loss, g, r->w, &err));
    assert_true(loss == r->b.loss);
    assert_memory_equal(g, r->b.g, r->p.n * sizeof *g);
    assert_true(moved ? loss < before : loss == before);
    r->steps += moved;
    return moved;
}

static void descend(struct run *r) {
    for (double before = 1e300; before - r->b.loss > 1e-10 * before && r->steps < STEPS;) {
        before = r->b.loss;
        if (!step(r)) return;
    }
}

static void a_curved_valley_is_followed_to_its_minimum(void **state) {
    (void)state;
    const size_t sizes[] = {2, 10, N_MAX};
    for (size_t k = 0; k < 3; k++) {
        struct run r;
        run_init(&r, rosenbrock, sizes[k], 1.2f);
        descend(&r);
        assert_true(r.steps > 5 && r.steps < STEPS);
        for (size_t i = 0; i < r.p.n; i++)
            if (fabs((double)r.w[i] - 1) > 2e-3) fail_msg("w[%zu] = %g", i, (double)r.w[i]);
        free(r.memory);
    }
}

static void an_ill_conditioned_quadratic_is_minimised(void **state) {
    (void)state;
    double (*const functions[])(double *, const double *, size_t) = {quadratic, broken};
    for (size_t k = 0; k < 2; k++) {
        struct run r;
        run_init(&r, functions[k], 20, 1.9f);
        descend(&r);
        assert_true(r.steps > 20 && r.steps < 100);
        for (size_t i = 0; i < r.p.n; i++)
            if (fabs((double)r.w[i] - target(i)) > 1e-3) fail_msg("w[%zu] = %g", i, (double)r.w[i]);
        free(r.memory);
    }
}

/* At a minimum no bit changes. */
static void a_minimum_stays(void **state) {
    (void)state;
    struct run r;
    bool moved = true;
    float before[N_MAX];
    run_init(&r, rosenbrock, 4, 1);
    for (size_t i = 0; i < 4; i++) r.w[i] = 1;
    SUCCEEDS(lbfgs_begin(&r.b, &r.f, r.w, &err));
    memcpy(before, r.w, sizeof before);
    SUCCEEDS(lbfgs_step(r.w, &moved, &r.b, &r.f, &err));
    assert_false(moved);
    assert_memory_equal(before, r.w, sizeof before);
    free(r.memory);
}

/* H as a dense matrix: gamma I, then one BFGS update per pair, oldest first (Nocedal and Wright,
 * equation 6.17). */
static void dense_direction(double *d, const struct lbfgs *b) {
    const size_t n = b->n;
    double H[N_MAX][N_MAX] = {{0}}, V[N_MAX][N_MAX], M[N_MAX][N_MAX];
    const int64_t first = b->pairs > LBFGS_PAIRS ? b->pairs - LBFGS_PAIRS : 0;
    for (int64_t k = first; k < b->pairs; k++) {
        const float *s = b->s + (size_t)(k % LBFGS_PAIRS) * n;
        const float *y = b->y + (size_t)(k % LBFGS_PAIRS) * n;
        const float *last_s = b->s + (size_t)((b->pairs - 1) % LBFGS_PAIRS) * n;
        const float *last_y = b->y + (size_t)((b->pairs - 1) % LBFGS_PAIRS) * n;
        double sy = 0, last = 0, yy = 0;
        for (size_t i = 0; i < n; i++) {
            sy += (double)s[i] * (double)y[i];
            last += (double)last_s[i] * (double)last_y[i];
            yy += (double)last_y[i] * (double)last_y[i];
        }
        for (size_t i = 0; i < n && k == first; i++) H[i][i] = last / yy;
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) V[i][j] = (i == j) - (double)y[i] * (double)s[j] / sy;
        memset(M, 0, sizeof M);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++)
                for (size_t l = 0; l < n; l++) M[i][j] += H[i][l] * V[l][j];
        memset(H, 0, sizeof H);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) {
                for (size_t l = 0; l < n; l++) H[i][j] += V[l][i] * M[l][j];
                H[i][j] += (double)s[i] * (double)s[j] / sy;
            }
    }
    for (size_t i = 0; i < n; i++) {
        d[i] = 0;
        for (size_t j = 0; j < n; j++) d[i] -= H[i][j] * (double)b->g[j];
    }
}

static void directions_are_those_of_the_dense_update(void **state) {
    (void)state;
    struct run r;
    float d[N_MAX];
    double want[N_MAX];
    run_init(&r, rosenbrock, 6, 1.2f);
    for (size_t k = 0; k < 16; k++) { /* more than LBFGS_PAIRS */
        assert_true(step(&r));
        lbfgs_direction(d, &r.b);
        dense_direction(want, &r.b);
        double worst = 0, most = 0;
        for (size_t i = 0; i < 6; i++) {
            worst = fmax(worst, fabs((double)d[i] - want[i]));
            most = fmax(most, fabs(want[i]));
        }
        if (!(worst <= 1e-3 * most)) fail_msg("step %zu: %g of %g", k, worst, most);
    }
    assert_true(r.b.pairs > LBFGS_PAIRS);
    free(r.memory);
}

/* lbfgs_saved() floats are enough to resume. */
static void a_saved_state_resumes_with_the_same_bits(void **state) {
    (void)state;
    struct run r, t;
    run_init(&r, rosenbrock, 10, 1.2f);
    for (size_t k = 0; k < 13; k++) assert_true(step(&r));
    run_init(&t, rosenbrock, 10, 0.3f);
    memcpy(t.w, r.w, sizeof t.w);
    memcpy(t.memory, r.memory, lbfgs_saved(10) * sizeof *t.memory);
    t.b.pairs = r.b.pairs;
    t.b.loss = r.b.loss;
    for (size_t k = 0; k < 13; k++) {
        assert_true(step(&r) && step(&t));
        assert_memory_equal(r.w, t.w, sizeof t.w);
    }
    free(r.memory);
    free(t.memory);
}

static void a_stop_keeps_the_weights(void **state) {
    (void)state;
    struct run r;
    bool moved;
    float before[N_MAX];
    run_init(&r, rosenbrock, 10, 1.2f);
    memcpy(before, r.w, sizeof before);
    r.p.most = r.p.asked;
    ERROR_SAYS(lbfgs_step(r.w, &moved, &r.b, &r.f, &err), ERR_STOPPED, "asked to stop");
    assert_memory_equal(before, r.w, sizeof before);
    free(r.memory);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_curved_valley_is_followed_to_its_minimum),
        cmocka_unit_test(an_ill_conditioned_quadratic_is_minimised),
        cmocka_unit_test(a_minimum_stays),
        cmocka_unit_test(directions_are_those_of_the_dense_update),
        cmocka_unit_test(a_saved_state_resumes_with_the_same_bits),
        cmocka_unit_test(a_stop_keeps_the_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
