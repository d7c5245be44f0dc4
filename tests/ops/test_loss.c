#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ops/loss.h"
#include "twins/ops_twin.h"

enum { N = 37 };
static const double WEIGHT = 1.0 / 50.0, DELTA = 0.7;

enum kind { MSE, HUBER, LOGISTIC, KINDS };

struct task {
    enum kind kind;
    struct pair pred, target;
};

static struct task task_new(enum kind kind) {
    struct task t = {kind, pair_normals(N, 1, 2.0), pair_normals(N, 2, 1.0)};
    for (size_t i = 0; i < N && kind == LOGISTIC; i++)
        t.target.d[i] = (double)(t.target.f[i] = t.target.f[i] > 0.0f ? 1.0f : -1.0f);
    return t;
}

static double twin(void *context) {
    struct task *t = context;
    if (t->kind == MSE) return twin_mse(t->pred.d, t->target.d, WEIGHT, N);
    if (t->kind == HUBER) return twin_huber(t->pred.d, t->target.d, DELTA, WEIGHT, N);
    return twin_logistic(t->pred.d, t->target.d, WEIGHT, N);
}

static double loss(float *dpred, const struct task *t) {
    if (t->kind == MSE) return loss_mse(dpred, t->pred.f, t->target.f, WEIGHT, N);
    if (t->kind == HUBER) return loss_huber(dpred, t->pred.f, t->target.f, DELTA, WEIGHT, N);
    return loss_logistic(dpred, t->pred.f, t->target.f, WEIGHT, N);
}

static void values_and_gradients(void **state) {
    (void)state;
    for (enum kind kind = MSE; kind < KINDS; kind++) {
        struct task t = task_new(kind);
        struct pair d = pair_normals(N, 3, 0.1);
        const double value = loss(d.f, &t);
        assert_true(fabs(value - twin(&t)) < 1e-12);
        assert_true(value == loss(NULL, &t));
        for (size_t i = 0; i < N; i++) d.d[i] += twin_slope(twin, &t, &t.pred.d[i]);
        assert_true(twin_error(d.f, d.d, N) < 1e-6);
        pair_free(&d), pair_free(&t.pred), pair_free(&t.target);
    }
}

static void known_values(void **state) {
    (void)state;
    const float pred[3] = {3.0f, -2.0f, 0.5f}, zero[3] = {0}, sign[3] = {1.0f, -1.0f, 1.0f};
    float d[3] = {0};
    assert_true(loss_mse(NULL, pred, zero, 0.5, 3) == 13.25 / 2.0);
    assert_true(loss_huber(d, pred, zero, 1.0, 1.0, 3) == 2.5 + 1.5 + 0.125);
    assert_true(d[0] == 1.0f && d[1] == -1.0f && d[2] == 0.5f);
    assert_true(fabs(loss_logistic(NULL, zero, sign, 1.0 / 3.0, 3) - log(2.0)) < 1e-15);
    assert_true(loss_mse(NULL, pred, zero, 1.0, 0) == 0.0);
}

static void extreme_logits_stay_finite(void **state) {
    (void)state;
    const float pred[2] = {1e4f, 1e4f}, target[2] = {1.0f, -1.0f};
    float d[2] = {0};
    assert_true(loss_logistic(d, pred, target, 1.0, 2) == 1e4);
    assert_true(d[0] == 0.0f && d[1] == 1.0f);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(values_and_gradients),
                                       cmocka_unit_test(known_values),
                                       cmocka_unit_test(extreme_logits_stay_finite)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
