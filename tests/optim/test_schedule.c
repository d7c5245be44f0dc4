#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "optim/schedule.h"

static void near(double got, double expected) {
    if (!(fabs(got - expected) < 1e-12)) fail_msg("expected %.15g, received %.15g", expected, got);
}

static void constant_after_the_warmup(void **state) {
    (void)state;
    const struct schedule s = {SCHEDULE_CONSTANT, 0.5, 4, 0, 1, 0, 0};
    near(schedule_lr(&s, 1), 0.125);
    near(schedule_lr(&s, 4), 0.5);
    near(schedule_lr(&s, 1000000), 0.5);
    const struct schedule plain = {SCHEDULE_CONSTANT, 0.5, 0, 0, 1, 0, 0};
    near(schedule_lr(&plain, 1), 0.5);
}

static void cosine_from_peak_to_floor(void **state) {
    (void)state;
    const struct schedule s = {SCHEDULE_COSINE, 2, 10, 110, 0.1, 0, 0};
    near(schedule_lr(&s, 5), 1);
    near(schedule_lr(&s, 10), 2);
    near(schedule_lr(&s, 60), 2 * (0.1 + 0.9 * 0.5));
    near(schedule_lr(&s, 35), 2 * (0.1 + 0.9 * 0.5 * (1 + sqrt(0.5))));
    near(schedule_lr(&s, 110), 0.2);
    near(schedule_lr(&s, 5000), 0.2);
    for (int64_t step = 11; step <= 110; step++)
        assert_true(schedule_lr(&s, step) < schedule_lr(&s, step - 1));
}

static void a_run_no_longer_than_its_warmup(void **state) {
    (void)state;
    const struct schedule s = {SCHEDULE_COSINE, 1, 10, 10, 0.25, 0, 0};
    near(schedule_lr(&s, 9), 0.9);
    near(schedule_lr(&s, 10), 0.25);
}

static void a_cooldown_leaves_the_cosine_and_falls_linearly(void **state) {
    (void)state;
    const struct schedule whole = {SCHEDULE_COSINE, 2, 10, 110, 0.1, 60, 0};
    const struct schedule s = {SCHEDULE_COSINE, 2, 10, 110, 0.1, 60, 20};
    for (int64_t step = 1; step <= 40; step++)
        near(schedule_lr(&s, step), schedule_lr(&whole, step));
    const double from = schedule_lr(&whole, 40);
    near(schedule_lr(&s, 45), from * 0.75 + 0.2 * 0.25);
    near(schedule_lr(&s, 50), (from + 0.2) / 2);
    near(schedule_lr(&s, 60), 0.2);
    const struct schedule longer = {SCHEDULE_COSINE, 2, 0, 110, 0, 4, 20};
    near(schedule_lr(&longer, 1), 1.5);
    near(schedule_lr(&longer, 4), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_after_the_warmup),
        cmocka_unit_test(cosine_from_peak_to_floor),
        cmocka_unit_test(a_cooldown_leaves_the_cosine_and_falls_linearly),
        cmocka_unit_test(a_run_no_longer_than_its_warmup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
