#include "sources/prompt_loss.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ops/loss.h"

enum { N = 4 };

static const float PREDICTION[N] = {0.5F, -2, 3, 0}, TARGET[N] = {1, -1, -1, 1};

static void losses_are_those_of_ops(void **state) {
    (void)state;
    const struct prompt_loss losses[] = {
        {.kind = LOSS_SQUARED}, {.kind = LOSS_HUBER, .delta = 0.7}, {.kind = LOSS_LOGISTIC}};
    float got[3][N] = {{0}}, want[3][N] = {{0}};
    double wanted[3];
    wanted[0] = loss_mse(want[0], PREDICTION, TARGET, 0.3, N);
    wanted[1] = loss_huber(want[1], PREDICTION, TARGET, 0.7, 0.3, N);
    wanted[2] = loss_logistic(want[2], PREDICTION, TARGET, 0.3, N);
    for (size_t i = 0; i < 3; i++) {
        assert_true(prompt_loss_sum(got[i], &losses[i], PREDICTION, TARGET, 0.3, N) == wanted[i]);
        assert_true(prompt_loss_sum(NULL, &losses[i], PREDICTION, TARGET, 0.3, N) == wanted[i]);
        assert_memory_equal(got[i], want[i], sizeof want[i]);
    }
    assert_true(wanted[0] != wanted[1] && wanted[1] != wanted[2] && wanted[0] != wanted[2]);
}

static void errors_are_squares_or_wrong_signs(void **state) {
    (void)state;
    const struct prompt_loss squared = {.kind = LOSS_SQUARED}, logistic = {.kind = LOSS_LOGISTIC};
    assert_true(prompt_loss_error(&squared, 3, 1) == 4);
    assert_true(prompt_loss_error(&logistic, 3, 1) == 0);
    assert_true(prompt_loss_error(&logistic, -3, 1) == 1);
    assert_true(prompt_loss_error(&logistic, 0, 1) == 1); /* 0 counts as negative */
    assert_true(prompt_loss_error(&logistic, 0, -1) == 0);
    assert_true(isnan(prompt_loss_error(&squared, (float)NAN, 1)));
    assert_true(isnan(prompt_loss_error(&logistic, (float)NAN, 1)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_are_those_of_ops),
        cmocka_unit_test(errors_are_squares_or_wrong_signs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
