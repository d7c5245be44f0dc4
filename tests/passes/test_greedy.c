/* Greedy continuations: tokens and probabilities of every step, with and without edits, against the
 * whole sequence in the double-precision twin. */
#include "passes/greedy.h"

#include <math.h>

#include "model/tiny_families.h"

enum { PROMPT = 5, STEPS = 11, V = 13, E = 16, PATCHES = PROMPT + STEPS + 1 };

static struct err err;
static const struct edits NONE;

/* Every token of the vocabulary with its probability, of the last of n tokens. */
static void compare_step(const struct likely_token top[V], struct model_twin *twin,
                         const uint32_t *ids, size_t n, const char *title) {
    const double *logits = twin->prediction + (n - 1) * V;
    double sum = 0;
    bool seen[V] = {false};
    model_twin_run_ids(twin, ids, n);
    for (size_t i = 0; i < V; i++) sum += exp(logits[i]);
    for (size_t k = 0; k < V; k++) {
        assert_true(top[k].id < V && !seen[top[k].id]);
        seen[top[k].id] = true;
        FAMILY_CLOSE(fabs(top[k].probability - exp(logits[top[k].id]) / sum), 1e-5, title);
        assert_true(k == 0 || top[k].probability <= top[k - 1].probability);
    }
}

/* All steps after ids [PROMPT] of a model. */
static void compare_steps(const struct params *p, struct model_twin *twin,
                          const struct edits *edits, const char *title) {
    uint32_t ids[PROMPT + STEPS] = {3, 1, 4, 1, 5};
    struct likely_token top[V];
    struct greedy *g;
    SUCCEEDS(greedy_create(&g, p, ids, PROMPT, STEPS, edits, &err));
    for (size_t i = 0; i < STEPS; i++) {
        SUCCEEDS(greedy_next(top, V, g, &err));
        compare_step(top, twin, ids, PROMPT + i, title);
        ids[PROMPT + i] = top[0].id;
    }
    greedy_destroy(g);
}

/* The last token that runs has the last position. */
static void every_family_continues_as_the_twin(void **state) {
    (void)state;
    for (size_t i = 0; i < TINY_FAMILY_COUNT; i++) {
        struct model_dims d = TINY_FAMILIES[i].dims;
        d.positions = PROMPT + STEPS - 1;
        struct params p = tiny_params(&d);
        struct model_twin twin = model_twin_create(&p);
        assert_true(d.vocabulary == V && d.E == E);
        compare_steps(&p, &twin, &NONE, TINY_FAMILIES[i].title);
        model_twin_destroy(&twin);
        params_destroy(&p);
    }
}

/* ---- edits */

static struct twin_patch added(char site, size_t layer, size_t token, const double *values) {
    return (struct twin_patch){.site = site,
                               .layer = layer,
                               .token = token,
                               .n = E,
                               .keep = 1,
                               .scale = .5,
                               .values = values};
}

/* Scope `query` edits the last token of the prompt alone, scope `all` every token. */
static void edits_apply_at_their_tokens(void **state) {
    (void)state;
    struct params p = tiny_params(&TINY_FAMILIES[7].dims);
    struct model_twin twin = model_twin_create(&p);
    struct pair v = pair_normals(3 * E, 8, 3.0);
    struct twin_patch patches[PATCHES];
    const struct edit items[] = {
        {.layer = 0, .scope = EDIT_ALL, .scale = .5f, .values = v.f},
        {.layer = 0, .scope = EDIT_QUERY, .scale = .5f, .values = v.f + E},
        {.layer = 1, .site = EDIT_HEADS, .scale = .5f, .values = v.f + 2 * E},
    };
    for (size_t t = 0; t < PROMPT + STEPS - 1; t++) patches[t] = added('x', 0, t, v.d);
    patches[PATCHES - 2] = added('x', 0, PROMPT - 1, v.d + E);
    patches[PATCHES - 1] = added('z', 1, PROMPT - 1, v.d + 2 * E);
    twin.patches = patches, twin.n_patches = PATCHES;
    compare_steps(&p, &twin, &(struct edits){.items = items, .n = 3}, "edits");
    model_twin_destroy(&twin);
    params_destroy(&p);
    pair_free(&v);
}

/* ---- ends */

static struct params with_output(float x) {
    struct params p = tiny_params(&TINY_FAMILIES[6].dims);
    struct param_info t;
    params_at(&t, &p, params_tensors(&p.dims) - 1);
    assert_string_equal(t.name, "lm_head.weight");
    for (size_t i = 0; i < V * E; i++) t.data[i] = x;
    return p;
}

static void the_lower_of_equal_ids_is_first(void **state) {
    (void)state;
    struct params p = with_output(0);
    struct likely_token top[3];
    struct greedy *g;
    SUCCEEDS(greedy_create(&g, &p, &(uint32_t){7}, 1, 1, &NONE, &err)); /* no context at all */
    SUCCEEDS(greedy_next(top, 3, g, &err));
    for (uint32_t k = 0; k < 3; k++) {
        assert_int_equal(top[k].id, k);
        CLOSE(fabs(top[k].probability - 1.0 / V), 1e-12);
    }
    greedy_destroy(g);
    params_destroy(&p);
}

static void logits_that_are_not_finite_are_refused(void **state) {
    (void)state;
    struct params p = with_output(NAN);
    struct likely_token top[1];
    struct greedy *g;
    SUCCEEDS(greedy_create(&g, &p, (uint32_t[]){7, 2}, 2, 3, &NONE, &err));
    ERROR_SAYS(greedy_next(top, 1, g, &err), ERR_NUMERIC, "the logit of token 0");
    greedy_destroy(g);
    greedy_destroy(NULL);
    params_destroy(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_family_continues_as_the_twin),
        cmocka_unit_test(edits_apply_at_their_tokens),
        cmocka_unit_test(the_lower_of_equal_ids_is_first),
        cmocka_unit_test(logits_that_are_not_finite_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
