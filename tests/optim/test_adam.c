#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "optim/adam.h"

enum { N = 37, STEPS = 100 };
static const struct adam ADAM = {0.9f, 0.999f, 1e-8f};

static void gradient_of(float *g, int64_t step) {
    const struct rng r = rng_stream(1, "gradient");
    rng_normals(g, N, &r, (uint64_t)step, 0);
    for (size_t i = 0; i < N; i++) g[i] *= powf(10.0f, (float)(i % 7) - 3); /* 1e-3 to 1e3 */
    g[5] = 0;                                                               /* never moves */
}

/* Algorithm 1 of the paper as printed, in double. */
static void twin(double *w, double *m, double *v, const float *g, double lr, int64_t t) {
    const double b1 = (double)ADAM.beta1, b2 = (double)ADAM.beta2;
    for (size_t i = 0; i < N; i++) {
        const double gi = (double)g[i];
        m[i] = b1 * m[i] + (1 - b1) * gi;
        v[i] = b2 * v[i] + (1 - b2) * gi * gi;
        const double m_hat = m[i] / (1 - pow(b1, (double)t));
        const double v_hat = v[i] / (1 - pow(b2, (double)t));
        w[i] -= lr * m_hat / (sqrt(v_hat) + (double)ADAM.epsilon);
    }
}

static void a_hundred_steps_follow_the_paper(void **state) {
    (void)state;
    float w[N], m[N] = {0}, v[N] = {0}, g[N];
    double wd[N], md[N] = {0}, vd[N] = {0};
    for (size_t i = 0; i < N; i++) wd[i] = (double)(w[i] = (float)i / 64);
    for (int64_t t = 1; t <= STEPS; t++) {
        gradient_of(g, t);
        adam_step(w, m, v, g, N, &ADAM, 1e-3f, t);
        twin(wd, md, vd, g, (double)1e-3f, t);
        for (size_t i = 0; i < N; i++)
            if (!(fabs((double)w[i] - wd[i]) < 1e-6))
                fail_msg("step %d, weight %zu: expected %.9g, received %.9g", (int)t, i, wd[i],
                         (double)w[i]);
    }
    assert_true(w[5] == 5.0f / 64);
}

static void the_first_step_is_lr_times_the_sign(void **state) {
    (void)state;
    float w[3] = {0}, m[3] = {0}, v[3] = {0};
    const float g[3] = {250, -1e-3f, 0};
    adam_step(w, m, v, g, 3, &ADAM, 0.5f, 1);
    assert_true(fabsf(w[0] + 0.5f) < 1e-6f);
    assert_true(fabsf(w[1] - 0.5f) < 1e-5f); /* epsilon against 1e-3 */
    assert_true(w[2] == 0);
}

static void a_weight_does_not_depend_on_its_neighbours(void **state) {
    (void)state;
    float w[N] = {0}, m[N] = {0}, v[N] = {0}, g[N];
    for (int64_t t = 1; t <= 5; t++) {
        gradient_of(g, t);
        adam_step(w, m, v, g, N, &ADAM, 1e-2f, t);
    }
    for (size_t i = 0; i < N; i++) {
        float wi = 0, mi = 0, vi = 0;
        for (int64_t t = 1; t <= 5; t++) {
            gradient_of(g, t);
            adam_step(&wi, &mi, &vi, g + i, 1, &ADAM, 1e-2f, t);
        }
        assert_memory_equal(&wi, &w[i], sizeof wi);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_steps_follow_the_paper),
        cmocka_unit_test(the_first_step_is_lr_times_the_sign),
        cmocka_unit_test(a_weight_does_not_depend_on_its_neighbours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
