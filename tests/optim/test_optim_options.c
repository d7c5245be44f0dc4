/* From a config file, through the keys optimiser.*, to the numbers of Adam and a schedule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "optim/optim_options.h"
#include "twins/error_says.h"
#include "twins/keys_stage.h"

static struct err err;

static void read_from(struct adam *adam, struct schedule *schedule, const char *keys, size_t point,
                      size_t points) {
    struct config *c = NULL;
    SUCCEEDS(keys_open(&c, keys, &err));
    assert_int_equal(config_stage_points(c, 0), points);
    optimiser_read(adam, schedule, config_stage_point(c, 0, point), 500);
    config_close(c);
}

static void defaults_are_the_papers(void **state) {
    (void)state;
    struct adam adam;
    struct schedule s;
    read_from(&adam, &s, "", 0, 1);
    assert_true(adam.beta1 == 0.9f && adam.beta2 == 0.999f && adam.epsilon == 1e-8f);
    assert_true(s.kind == SCHEDULE_CONSTANT && s.lr == 1e-3 && s.warmup == 0);
    assert_true(schedule_lr(&s, 400) == 1e-3);
}

static void a_cosine_over_two_rates(void **state) {
    (void)state;
    struct adam adam;
    struct schedule s;
    read_from(&adam, &s,
              "optimiser = { name = \"adam\"; lr = [1e-2, 2e-2]; beta1 = 0.5; beta2 = 0.75; "
              "epsilon = 1e-6; schedule = \"cosine\"; warmup = 100; floor = 0.25; };",
              1, 2);
    assert_true(adam.beta1 == 0.5f && adam.beta2 == 0.75f && adam.epsilon == 1e-6f);
    assert_true(s.kind == SCHEDULE_COSINE && s.lr == 2e-2 && s.warmup == 100);
    assert_true(s.steps == 500 && s.floor == 0.25);
    assert_true(s.end == 500 && s.cooldown == 0);
}

static void a_cosine_longer_than_the_run_with_a_cooldown(void **state) {
    (void)state;
    struct adam adam;
    struct schedule s;
    read_from(&adam, &s,
              "optimiser = { schedule = \"cosine\"; decay_steps = 2000; cooldown = 50; };", 0, 1);
    assert_true(s.steps == 2000 && s.end == 500 && s.cooldown == 50);
}

/* One point per learning rate for Adam, and one for L-BFGS, which has none. */
static void lbfgs_has_no_keys(void **state) {
    (void)state;
    struct config *c = NULL;
    SUCCEEDS(
        keys_open(&c, "optimiser = { name = [\"adam\", \"lbfgs\"]; lr = [1e-2, 2e-2]; };", &err));
    assert_int_equal(config_stage_points(c, 0), 3);
    assert_false(optimiser_is_lbfgs(config_stage_point(c, 0, 0)));
    const struct config_point *last = config_stage_point(c, 0, 2);
    assert_true(optimiser_is_lbfgs(last));
    assert_false(config_has(last, "optimiser.lr") || config_has(last, "optimiser.floor"));
    config_close(c);
    ERROR_SAYS(keys_open(&c, "optimiser = { name = \"lbfgs\"; lr = 1e-2; };", &err), ERR_CONFIG,
               "optimiser.lr");
}

static void invalid_values_are_refused(void **state) {
    (void)state;
    struct config *c = NULL;
    ERROR_SAYS(keys_open(&c, "optimiser = { name = \"sgd\"; };", &err), ERR_CONFIG,
               "optimiser.name");
    ERROR_SAYS(keys_open(&c, "optimiser = { lr = -1.0; };", &err), ERR_CONFIG, "optimiser.lr");
    ERROR_SAYS(keys_open(&c, "optimiser = { beta2 = 1.0; };", &err), ERR_CONFIG, "optimiser.beta2");
    ERROR_SAYS(keys_open(&c, "optimiser = { beta1 = [0.8, 0.9]; };", &err), ERR_CONFIG,
               "optimiser.beta1");
    ERROR_SAYS(keys_open(&c, "optimiser = { floor = 0.5; };", &err), ERR_CONFIG, "optimiser.floor");
    ERROR_SAYS(keys_open(&c, "optimiser = { warmup = -1; };", &err), ERR_CONFIG,
               "optimiser.warmup");
}

static int begin(void **state) {
    (void)scratch_begin(state);
    return optimiser_schema(&keys_schema, true, &err) == ERR_OK ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_the_papers),
        cmocka_unit_test(a_cosine_over_two_rates),
        cmocka_unit_test(a_cosine_longer_than_the_run_with_a_cooldown),
        cmocka_unit_test(lbfgs_has_no_keys),
        cmocka_unit_test(invalid_values_are_refused),
    };
    return cmocka_run_group_tests(tests, begin, keys_end);
}
