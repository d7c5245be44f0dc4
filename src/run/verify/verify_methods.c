/*
 * Methods against independent twins: tests/reference/make_methods.py writes a small random model,
 * its prompts (methods/xs [N, P, D], methods/ys [N, P], whose first `points` points are the basis
 * prompt) and a group methods/CASE for each line of CASES, with some of
 *   weights [..]                 given; none: derived from the prompts, or the method has none
 *   derived [..]                 to compare those with, where they are unique
 *   curve [choices, N, P]        predictions after 0 .. P - 1 examples, the basis each prompt's own
 *   lengths [..]                 given, in points: where the queries of the loss are; none: P alone
 *   loss [choices]               mean Huber loss at those queries, delta 1
 *   gradient [choices, weights]  of that loss
 *   l1 []                        given: a penalty
 *   path [steps, weights]        after each step of Adam, rate 0.05, on that loss and the penalty
 *   descent [steps, weights]     after each step of L-BFGS on that loss
 *   mean_curve, mean_loss, mean_gradient   the same, the mean over the prompts being the basis
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activations/basis_collector.h"
#include "methods/ltv.h"
#include "passes/curve.h"
#include "run/verify/verify_case.h"
#include "run/verify/verify_file.h"
#include "run/verify/verify_learning.h"
#include "run/verify/verify_reference.h"

static const struct verify_method_case CASES[] = {
    {"task_vector", "task_vector", NULL, 0, {-1}},
    {"task_vector_replace", "task_vector", NULL, 1, {-1}},
    {"state_vector", "state_vector", NULL, 0, {-1}},
    {"state_vector_average", "state_vector", NULL, 0, {-1, 3}},
    {"linear_vector", "linear_vector", NULL, 0, {24, -1}}, /* more anchors than the model is wide */
    {"linear_vector_dual", "linear_vector", NULL, 0, {10, -1}},
    {"linear_vector_constant", "linear_vector", NULL, 1, {24, -1}},
    {"constant", "constant", NULL, 0, {0}},
    {"bias_only", "bias_only", NULL, 0, {0}},
    {"site", "site", NULL, 0, {0}},
    {"learned_vector", "learned_vector", NULL, 0, {-1}},
    {"loreft", "loreft", NULL, 0, {-1, 3}}, /* layer, rank */
    {"ltv_heads", "ltv", NULL, LTV_HEADS, {0}},
    {"ltv_heads_bias", "ltv", NULL, LTV_HEADS_BIAS, {0}},
    {"ltv_reprojected", "ltv", NULL, LTV_REPROJECTED, {0}},
    {"ltv_blocks", "ltv", NULL, LTV_BLOCKS, {0}},
    {"ltv_lengths", "ltv", NULL, LTV_HEADS, {0}},
    {"ltv_l1", "ltv", NULL, LTV_HEADS, {0}},
    {"ltv_lbfgs", "ltv", NULL, LTV_HEADS, {0}},
    {"plain", "plain", NULL, 0, {0}},
    {"zero", "zero", NULL, 0, {0}},
    {"window", "window", NULL, 0, {0}},
    {"oracle", "oracle", NULL, 0, {0}},
    {"random", "ltv", "random", LTV_HEADS, {0}},
    {"random_constant", "constant", "random", 0, {0}},
    {"mismatched", "ltv", "mismatched", LTV_HEADS, {0}},
};

static const struct method *control_of(const struct verify_case *t) {
    return t->c->control ? method_find(t->c->control) : NULL;
}

/* ---- basis */

static enum err_code collect(struct verify_case *t, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct params *p = t->setup.params;
    const unsigned parts = method_basis(&t->setup);
    struct basis_collector *c = NULL;
    if (!parts) return ERR_OK;
    TRY(basis_set_create(&t->basis, &p->dims, parts, t->prompts.n, err));
    TRY(method_collector_create(&c, &t->setup, t->w, t->T0, t->prompts.n, CONTEXT_SINGLE, err));
    for (size_t i = 0; i < t->prompts.n; i++) {
        const size_t of = method_basis_of(control_of(t), i, t->prompts.n);
        const struct prompt_view one = prompt_view_part(&t->prompts, of, 1);
        basis_collector_run_at(&t->basis, i, c, p, &one);
    }
cleanup:
    basis_collector_destroy(c);
    return rc;
}

/* Row 0 becomes the mean of all rows. */
static enum err_code take_mean(struct verify_case *t, struct err *err) {
    enum err_code rc = ERR_OK;
    double *sum = calloc(basis_set_floats(&t->basis) + 1, sizeof *sum);
    CHECK(sum, ERR_MEMORY, "no memory for a mean basis");
    for (size_t r = 0; r < t->prompts.n; r++) basis_set_add_row(sum, &t->basis, r);
    basis_set_mean(&t->basis, sum, t->prompts.n);
cleanup:
    free(sum);
    return rc;
}

/* ---- what a group may hold */

static enum err_code predict(float *out, struct verify_case *t, const struct basis *basis,
                             struct err *err) {
    enum err_code rc = ERR_OK;
    struct curve c = {0};
    const struct curve_options o = {.setup = &t->setup,
                                    .chunk = t->prompts.n,
                                    .points = t->prompts.points,
                                    .window_points = t->T0,
                                    .trained_points = t->T0 + 1, /* so oracle is not window */
                                    .control = control_of(t),
                                    .stream = rng_stream(0, "verify")};
    TRY(curve_create(&c, &o, err));
    curve_predict(out, &c, &t->prompts, basis, t->w);
cleanup:
    curve_destroy(&c);
    return rc;
}

static enum err_code compare_curve(struct verify_case *t, const char *what, size_t basis_rows,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = t->prompts.n * t->prompts.points;
    const struct basis none = {0};
    const struct basis basis = t->basis.n > 0 ? basis_set_view(&t->basis, 0, basis_rows) : none;
    float *got = calloc(t->choices * n, sizeof *got);
    CHECK(got, ERR_MEMORY, "no memory for a curve of %zu predictions", n);
    for (t->setup.choice = 0; t->setup.choice < t->choices; t->setup.choice++)
        TRY(predict(got + t->setup.choice * n, t, &basis, err));
    TRY(verify_case_compare(t, what, got, t->choices * n, VERIFY_SCALED, err));
cleanup:
    t->setup.choice = 0;
    free(got);
    return rc;
}

static enum err_code no_report(void *context, double done, double total, struct err *err) {
    (void)context, (void)done, (void)total, (void)err;
    return ERR_OK;
}

/* From all prompts. */
static enum err_code derive(struct verify_case *t, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct rng stream = rng_stream(0, "verify");
    const struct method_training training = {.prompts = t->prompts,
                                             .T0 = t->T0,
                                             .chunk = t->prompts.n,
                                             .stream = &stream,
                                             .report = no_report};
    TRY(t->setup.method->derive(t->w, &training, &t->setup, err));
    if (verify_case_has(t, "derived"))
        TRY(verify_case_compare(t, "derived", t->w, t->weights, VERIFY_SCALED, err));
cleanup:
    return rc;
}

static enum err_code read_weights(struct verify_case *t, struct err *err) {
    enum err_code rc = ERR_OK;
    struct fixture_array given = {0};
    TRY(verify_case_read(&given, t, "weights", t->weights, err));
    memcpy(t->w, given.floats, t->weights * sizeof *t->w);
cleanup:
    fixture_array_release(&given);
    return rc;
}

/* ---- cases */

static void trial_release(struct verify_case *t) {
    basis_set_destroy(&t->basis);
    free(t->w);
}

static enum err_code compare_case(struct verify_case *t, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct params *p = t->setup.params;
    const struct method *m;
    method_setup_named(&t->setup, t->c->method, p);
    t->setup.variant = t->c->variant;
    memcpy(t->setup.own, t->c->own, sizeof t->setup.own);
    m = t->setup.method;
    t->weights = method_weights(&t->setup);
    t->choices = method_choices(&t->setup);
    t->w = calloc(t->weights + 1, sizeof *t->w);
    CHECK(t->w, ERR_MEMORY, "no memory for %zu weights", t->weights);
    if (m->derive) TRY(derive(t, err));
    if (verify_case_has(t, "weights")) TRY(read_weights(t, err));
    TRY(collect(t, err));
    if (verify_case_has(t, "curve")) TRY(compare_curve(t, "curve", t->prompts.n, err));
    TRY(verify_learning(t, err));
    if (!verify_case_has(t, "mean_curve")) goto cleanup;
    TRY(take_mean(t, err));
    TRY(compare_curve(t, "mean_curve", 1, err));
cleanup:
    trial_release(t);
    return rc;
}

struct unknown { /* what fixture_members() calls for */
    struct verify_report *report;
};

static enum err_code skip_unknown(void *context, const char *name, struct err *err) {
    const struct unknown *u = context;
    char where[96];
    if (strcmp(name, "xs") == 0 || strcmp(name, "ys") == 0) return ERR_OK;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        if (strcmp(CASES[i].group, name) == 0) return ERR_OK;
    (void)snprintf(where, sizeof where, "methods/%s", name);
    return verify_skip(u->report, "methods", where, "no such case in this program", err);
}

enum err_code verify_methods(struct verify_report *r, const struct fixture *f, struct err *err) {
    enum err_code rc = ERR_OK;
    struct params p = {0};
    struct verify_reference_prompts given = {0};
    struct verify_case shared = {.report = r, .file = f, .setup = {.params = &p}};
    struct unknown unknown = {r};
    TRY(verify_read_model(&p, f, err));
    TRY(verify_reference_prompts(&given, f, "methods/xs", "methods/ys", &p.dims, err));
    shared.prompts = given.view;
    shared.T0 = given.T0;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char group[96];
        struct verify_case t = shared;
        t.c = &CASES[i];
        (void)snprintf(group, sizeof group, "methods/%s", t.c->group);
        if (fixture_has(f, group)) TRY(compare_case(&t, err));
    }
    TRY(fixture_members(f, "methods", skip_unknown, &unknown, err));
cleanup:
    verify_reference_release(&given);
    params_destroy(&p);
    return rc;
}
