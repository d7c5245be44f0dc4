#include "activations/causal_map.h"

#include "methods/prompt_scene.h"
#include "ops/blas.h"

enum { HEADS = 2, LAYERS = 3, ALL = LAYERS * HEADS, E = 8, QUERY = 2 * (T0 - 1) };

static struct err err;

static struct causal_options options_of(const struct prompt_scene *s, enum causal_reading reading,
                                        enum causal_corruption corruption,
                                        const struct rng *stream) {
    return (struct causal_options){.prompts = s->prompts,
                                   .T0 = T0,
                                   .chunk = 2,
                                   .reading = reading,
                                   .corruption = corruption,
                                   .stream = stream};
}

/* ---- the definition, one prompt and head at a time */

static double squared_error(struct prompt_scene *s, size_t i, const uint32_t *order,
                            const struct twin_patch *patch) {
    s->twin.patches = patch;
    s->twin.n_patches = patch != NULL;
    prompt_scene_run(s, i, QUERY + 1, order);
    const double error = s->twin.prediction[QUERY] - s->y.d[i * POINTS + T0 - 1];
    s->twin.n_patches = 0;
    return error * error;
}

static double effect_of(struct prompt_scene *s, size_t i, size_t l, size_t h,
                        const struct causal_options *o, const double *values) {
    const size_t D = E / HEADS;
    uint32_t order[POINTS];
    const struct twin_patch patch = {.site = o->reading == CAUSAL_HEADS ? 'z' : 'a',
                                     .layer = l,
                                     .token = QUERY,
                                     .from = h * D,
                                     .n = D,
                                     .scale = 1,
                                     .values = values + l * E + h * D};
    if (o->permutations)
        for (size_t k = 0; k < T0; k++)
            order[k] = (uint32_t)o->permutations[(l * HEADS + h) * T0 + k];
    else if (o->corruption == CAUSAL_SHARED)
        rng_permutation(order, T0 - 1, o->stream, i, 0);
    else
        rng_permutation(order, T0, o->stream, l * HEADS + h, 0);
    return squared_error(s, i, order, NULL) - squared_error(s, i, order, &patch);
}

static void compare_map(struct prompt_scene *s, const struct causal_options *o) {
    float effect[ALL * PROMPTS];
    double want[ALL * PROMPTS];
    struct pair values = pair_normals(LAYERS * E, 61, 0.5);
    struct basis row = {.R = 1, .stride = 1};
    row.part[causal_part(o->reading)] = values.f;
    SUCCEEDS(causal_map(effect, &s->p, &row, o, &err));
    for (size_t l = 0; l < LAYERS; l++)
        for (size_t h = 0; h < HEADS; h++)
            for (size_t i = 0; i < PROMPTS; i++)
                want[(l * HEADS + h) * PROMPTS + i] = effect_of(s, i, l, h, o, values.d);
    CLOSE(relative_error(effect, want, ALL * PROMPTS), 1e-5);
    pair_free(&values);
}

static void effects_are_as_defined(void **state) {
    (void)state;
    struct prompt_scene s = prompt_scene_make();
    const struct rng stream = rng_stream(5, "orders");
    for (enum causal_reading reading = CAUSAL_HEADS; reading <= CAUSAL_REPROJECTED; reading++)
        for (enum causal_corruption how = CAUSAL_SHARED; how <= CAUSAL_REDRAWN; how++) {
            const struct causal_options o = options_of(&s, reading, how, &stream);
            compare_map(&s, &o);
        }
    prompt_scene_free(&s);
}

static void permutations_may_be_given(void **state) {
    (void)state;
    struct prompt_scene s = prompt_scene_make();
    int64_t orders[ALL * T0];
    struct causal_options o = options_of(&s, CAUSAL_REPROJECTED, CAUSAL_REDRAWN, NULL);
    for (size_t i = 0; i < ALL; i++)
        for (size_t k = 0; k < T0; k++) orders[i * T0 + k] = (int64_t)((k + 1 + i) % T0);
    o.permutations = orders;
    compare_map(&s, &o);
    prompt_scene_free(&s);
}

static void the_mean_is_that_of_clean_prompts(void **state) {
    (void)state;
    struct prompt_scene s = prompt_scene_make();
    for (enum causal_reading reading = CAUSAL_HEADS; reading <= CAUSAL_REPROJECTED; reading++) {
        const struct causal_options o = options_of(&s, reading, CAUSAL_SHARED, NULL);
        const enum basis_part part = causal_part(reading);
        struct basis_set mean;
        double want[LAYERS * E] = {0};
        SUCCEEDS(basis_set_create(&mean, &TINY, basis_bit(part), 1, &err));
        SUCCEEDS(causal_mean(&mean, &s.p, &o, &err));
        for (size_t i = 0; i < PROMPTS; i++) {
            prompt_scene_run(&s, i, QUERY + 1, NULL);
            const double *from = reading == CAUSAL_HEADS ? s.twin.z : s.twin.a;
            for (size_t l = 0; l < LAYERS; l++)
                for (size_t e = 0; e < E; e++)
                    want[l * E + e] += from[(l * TINY.positions + QUERY) * E + e] / PROMPTS;
        }
        CLOSE(relative_error(mean.part[part], want, LAYERS * E), 1e-5);
        basis_set_destroy(&mean);
    }
    prompt_scene_free(&s);
}

static void the_largest_effect_comes_first(void **state) {
    (void)state;
    const double effects[6] = {0.5, -1, 2, 0.5, 3, 0.5};
    const uint32_t want[6] = {4, 2, 0, 3, 5, 1};
    uint32_t order[6];
    causal_rank(order, effects, 6);
    assert_memory_equal(order, want, sizeof want);
}

static void an_effect_that_is_not_finite_is_an_error(void **state) {
    (void)state;
    float effect[ALL * 2] = {0};
    double mean[ALL];
    effect[2] = 3;
    SUCCEEDS(causal_effects(mean, effect, &TINY, 2, &err));
    assert_true(mean[0] == 0 && mean[1] == 1.5);
    effect[7] = 1.0f / 0.0f;
    ERROR_SAYS(causal_effects(mean, effect, &TINY, 2, &err), ERR_NUMERIC, "layer 1, head 1");
}

static void a_map_of_zeros_is_an_error(void **state) {
    (void)state;
    const float effect[ALL * 2] = {0};
    double mean[ALL];
    ERROR_SAYS(causal_effects(mean, effect, &TINY, 2, &err), ERR_NUMERIC, "is exactly 0");
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(effects_are_as_defined),
        cmocka_unit_test(permutations_may_be_given),
        cmocka_unit_test(the_mean_is_that_of_clean_prompts),
        cmocka_unit_test(the_largest_effect_comes_first),
        cmocka_unit_test(an_effect_that_is_not_finite_is_an_error),
        cmocka_unit_test(a_map_of_zeros_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
