/* The load of jobs, against sums written out by hand. */
#include "passes/flops.h"

#include <math.h>

#include "model/tiny.h"

enum { L = 2, E = 4, INPUTS = 3 };

static const struct model_dims DIMS = {.L = L, .H = 2, .E = E, .inputs = INPUTS, .positions = 16};

/* q, k, v, the projection and two MLP matrices of 4 E: 12 E^2 weights of a layer. */
static const double WEIGHTS = 12 * E * E;

static void contexts_end_at_the_keys_and_values_of_the_last_layer(void **state) {
    (void)state;
    struct job_load load = {0};
    /* Six tokens that see three each on average, in one whole layer; the read-in map. */
    const double first = 6 * (2 * WEIGHTS + 2 * E * INPUTS + 4 * E * 3);
    const double last = 6 * 2 * (2 * E * E);
    flops_add_contexts(&load, &DIMS, 5, 6);
    CLOSE(fabs(load.contexts - 5 * (first + last)), 1e-9);
    CLOSE(fabs(load.width - E), 0.0);
    CLOSE(fabs(load.queries + load.read + load.training + load.estimates), 0.0);
}

static void queries_and_vectors_are_of_one_token(void **state) {
    (void)state;
    struct job_load load = {0};
    flops_add_queries(&load, &DIMS, 7, 8);
    flops_add_vectors(&load, &DIMS, 7);
    const double each = L * (2 * WEIGHTS + 4 * E * 8) + 2 * E * INPUTS, vector = L * 2 * E * E;
    CLOSE(fabs(load.queries - 7 * (each + vector)), 1e-9);
    CLOSE(fabs(job_load_flops(&load) - load.queries), 0.0);
}

static void halves_are_half_the_bytes(void **state) {
    (void)state;
    struct job_load single = {0}, half = {0};
    flops_add_reading(&single, &DIMS, 3, 10, CONTEXT_SINGLE);
    flops_add_reading(&half, &DIMS, 3, 10, CONTEXT_HALF);
    CLOSE(fabs(single.read - 3 * 2 * L * 10 * E * 4), 1e-9);
    CLOSE(fabs(half.read - single.read / 2), 1e-9);
}

static void an_update_costs_three_passes(void **state) {
    (void)state;
    struct job_load load = {0};
    flops_add_training(&load, &DIMS, 20, 5);
    CLOSE(fabs(load.training - 3 * flops_forward(&DIMS, 20, 5)), 1e-9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contexts_end_at_the_keys_and_values_of_the_last_layer),
        cmocka_unit_test(queries_and_vectors_are_of_one_token),
        cmocka_unit_test(halves_are_half_the_bytes),
        cmocka_unit_test(an_update_costs_three_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
