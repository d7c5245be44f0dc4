/* The load of jobs, against sums written out by hand, and for every family against the products
 * that its passes compute, which the linker lets us count (cmake/tests.cmake). */
#include "passes/flops.h"

#include <math.h>

#include "model/context_pass.h"
#include "model/query.h"
#include "model/tiny_families.h"
#include "ops/blas.h"

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

/* ---- every family */

static double counted; /* operations of the maps of a model */

void __real_weight_forward(float *y, size_t ldy, const float *x, const struct weight_map *m,
                           size_t N);
void __wrap_weight_forward(float *y, size_t ldy, const float *x, const struct weight_map *m,
                           size_t N);
void __real_weight_forward_onto(float *y, const float *base, const float *x,
                                const struct weight_map *m, size_t N);
void __wrap_weight_forward_onto(float *y, const float *base, const float *x,
                                const struct weight_map *m, size_t N);

void __wrap_weight_forward(float *y, size_t ldy, const float *x, const struct weight_map *m,
                           size_t N) {
    counted += 2 * (double)N * (double)m->I * (double)m->O;
    __real_weight_forward(y, ldy, x, m, N);
}

void __wrap_weight_forward_onto(float *y, const float *base, const float *x,
                                const struct weight_map *m, size_t N) {
    counted += 2 * (double)N * (double)m->I * (double)m->O;
    __real_weight_forward_onto(y, base, x, m, N);
}

enum { TOKENS = 12, ROWS = 3 }; /* no prompt of 12 tokens is padded */

struct family_case {
    const struct tiny_family *family;
    struct params p;
    struct context context;
    struct query query;
};

static void case_init(struct family_case *c, const struct tiny_family *family) {
    struct err err;
    *c = (struct family_case){.family = family, .p = tiny_params(&family->dims)};
    SUCCEEDS(context_create(&c->context, &family->dims, 1, TOKENS, CONTEXT_SINGLE, &err));
    SUCCEEDS(query_create(&c->query, &family->dims, ROWS, TOKENS, false, &err));
}

static void case_free(struct family_case *c) {
    query_destroy(&c->query);
    context_destroy(&c->context);
    params_destroy(&c->p);
}

static double count_context(struct family_case *c) {
    static const uint32_t ids[TOKENS] = {1, 2, 3};
    struct err err;
    struct context_scratch *scratch = NULL;
    SUCCEEDS(context_scratch_create(&scratch, &c->family->dims, 1, TOKENS, &err));
    counted = 0;
    context_add_ids(&c->context, 0, scratch, &c->p, ids, TOKENS, &(struct edits){0});
    context_finish(&c->context, scratch, &c->p, &(struct edits){0});
    context_scratch_destroy(scratch);
    return counted;
}

static double count_query(struct family_case *c) {
    static const uint32_t zeros[ROWS], length[ROWS] = {3, 12, 0};
    const struct query_rows rows = {.R = ROWS, .slot = zeros, .length = length, .ids = zeros};
    counted = 0;
    query_forward(&c->query, &c->p, &c->context, &rows, &(struct edits){0});
    return counted;
}

static double count_resumed(struct family_case *c, size_t layer) {
    static const uint32_t zeros[ROWS], length[ROWS] = {3, 12, 0};
    const struct query_rows rows = {.R = ROWS, .slot = zeros, .length = length, .ids = zeros};
    counted = 0;
    query_resume(&c->query, &c->p, &c->context, &rows, &(struct edits){0}, layer, EDIT_HEADS);
    return counted;
}

static double count_logits(struct family_case *c) {
    counted = 0;
    free(tiny_logits(&c->p, query_output(&c->query), ROWS));
    return counted;
}

/* Scores and sums of values: 2 operations each per head, coordinate and token. */
static double attention(const struct model_dims *d, double layers, double tokens, double seen) {
    return tokens * layers * (double)d->H * (double)model_head_width(d) * seen * 2 * 2;
}

static void passes_take_the_counted_products(void **state) {
    (void)state;
    for (size_t i = 0; i < TINY_FAMILY_COUNT; i++) {
        const struct model_dims *d = &TINY_FAMILIES[i].dims;
        const char *title = TINY_FAMILIES[i].title;
        const double layers = (double)d->L;
        struct family_case c;
        case_init(&c, &TINY_FAMILIES[i]);
        /* The last layer's q, which no count includes: products of packed q, k and v make it. */
        const double unread = 2.0 * TOKENS * (double)d->E * (double)model_heads_width(d);
        const double context = count_context(&c) - unread;
        FAMILY_CLOSE(fabs(flops_context(d, TOKENS) - context -
                          attention(d, layers - 1, TOKENS, TOKENS / 2.0)),
                     1e-6, title);
        FAMILY_CLOSE(
            fabs(flops_forward(d, ROWS, 5) - count_query(&c) - attention(d, layers, ROWS, 5)), 1e-6,
            title);
        FAMILY_CLOSE(fabs(flops_logits(d, ROWS, (double)d->vocabulary) - count_logits(&c)), 1e-6,
                     title);
        for (size_t l = 0; l < d->L; l++)
            FAMILY_CLOSE(fabs(ROWS * flops_query_from(d, 5, l) - count_resumed(&c, l) -
                              attention(d, layers - (double)l - 1, ROWS, 5)),
                         1e-6, title);
        case_free(&c);
    }
}

/* ---- bytes of every family: what is allocated */

static void contexts_and_queries_take_their_bytes(void **state) {
    (void)state;
    for (size_t i = 0; i < TINY_FAMILY_COUNT; i++) {
        const struct model_dims *d = &TINY_FAMILIES[i].dims;
        struct family_case c;
        case_init(&c, &TINY_FAMILIES[i]);
        assert_int_equal(c.context.memory.size, context_bytes(d, 1, TOKENS, CONTEXT_SINGLE));
        assert_int_equal(c.query.memory.size, query_bytes(d, ROWS, TOKENS, false));
        /* Layers of keys and values as wide as the key-value heads alone, and some padding. */
        const double numbers = flops_context_bytes(d, (double)d->L, TOKENS, sizeof(float));
        assert_in_range(c.context.memory.size, (size_t)numbers, 4 * (size_t)numbers);
        case_free(&c);
    }
}

int main(void) {
    blas_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contexts_end_at_the_keys_and_values_of_the_last_layer),
        cmocka_unit_test(queries_and_vectors_are_of_one_token),
        cmocka_unit_test(halves_are_half_the_bytes),
        cmocka_unit_test(an_update_costs_three_passes),
        cmocka_unit_test(passes_take_the_counted_products),
        cmocka_unit_test(contexts_and_queries_take_their_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
