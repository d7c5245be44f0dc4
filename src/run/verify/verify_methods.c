/*
 * Methods against independent reference implementations. tests/reference/make_methods.py writes a
 * small random model, prompts (methods/xs [N, P, D], methods/ys [N, P]; the first `points` points
 * are the basis prompt) and a group methods/CASE for each line of CASES, which holds some of
 *   weights [..]                 input; absent: derived from the prompts, or the method has none
 *   derived [..]                 expected derived weights, where they are unique
 *   curve [choices, N, P]        expected predictions after 0 .. P - 1 examples, with the basis of
 *                                each prompt
 *   lengths [..]                 input: the points whose queries enter the loss; absent: P alone
 *   loss [choices]               mean Huber loss (delta 1) at those queries
 *   gradient [choices, weights]  its gradient
 *   l1 []                        input: penalty of `path`
 *   path [steps, weights]        weights after each step of Adam (rate 0.05) on loss and penalty
 *   descent [steps, weights]     weights after each step of L-BFGS on the loss
 *   mean_curve, mean_loss, mean_gradient   the same with the mean over the prompts as the basis
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activations/basis_collector.h"
#include "methods/linear_vector.h"
#include "methods/loreft.h"
#include "methods/ltv.h"
#include "methods/state_vector.h"
#include "passes/curve.h"
#include "run/verify/verify_case.h"
#include "run/verify/verify_file.h"
#include "run/verify/verify_fit.h"
#include "run/verify/verify_model.h"
#include "run/verify/verify_reference.h"

/* A method's own keys, in a case. */
#define KEYS(type, ...) .keys = &(struct type){__VA_ARGS__}, .keys_bytes = sizeof(struct type)

static const struct verify_method_case CASES[] = {
    {.group = "task_vector", .method = "task_vector", .layer = -1},
    {.group = "task_vector_replace", .method = "task_vector", .variant = 1, .layer = -1},
    {.group = "state_vector", .method = "state_vector", .layer = -1},
    {.group = "state_vector_average",
     .method = "state_vector",
     .layer = -1,
     KEYS(state_vector_keys, .average = 3)},
    /* more anchors than the model is wide, then fewer */
    {.group = "linear_vector", .method = "linear_vector", KEYS(linear_vector_keys, .anchors = 24)},
    {.group = "linear_vector_dual",
     .method = "linear_vector",
     KEYS(linear_vector_keys, .anchors = 10)},
    {.group = "linear_vector_constant",
     .method = "linear_vector",
     .variant = LINEAR_CONSTANT,
     KEYS(linear_vector_keys, .anchors = 24)},
    {.group = "constant", .method = "constant"},
    {.group = "bias_only", .method = "bias_only"},
    {.group = "site", .method = "site"},
    {.group = "learned_vector", .method = "learned_vector", .layer = -1},
    {.group = "loreft", .method = "loreft", .layer = -1, KEYS(loreft_keys, .rank = 3)},
    {.group = "ltv_heads", .method = "ltv", .variant = LTV_HEADS},
    {.group = "ltv_heads_bias", .method = "ltv", .variant = LTV_HEADS_BIAS},
    {.group = "ltv_reprojected", .method = "ltv", .variant = LTV_REPROJECTED},
    {.group = "ltv_blocks", .method = "ltv", .variant = LTV_BLOCKS},
    {.group = "ltv_lengths", .method = "ltv", .variant = LTV_HEADS},
    {.group = "ltv_l1", .method = "ltv", .variant = LTV_HEADS},
    {.group = "ltv_lbfgs", .method = "ltv", .variant = LTV_HEADS},
    {.group = "plain", .method = "plain"},
    {.group = "zero", .method = "zero"},
    {.group = "window", .method = "window"},
    {.group = "oracle", .method = "oracle"},
    {.group = "random", .method = "ltv", .control = "random", .variant = LTV_HEADS},
    {.group = "random_constant", .method = "constant", .control = "random"},
    {.group = "mismatched", .method = "ltv", .control = "mismatched", .variant = LTV_HEADS},
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
    const struct basis_size size = {.T0 = t->T0};
    TRY(method_collector_create(&c, &t->setup, t->w, &size, t->prompts.n, CONTEXT_SINGLE, err));
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

/* ---- curves and derived weights */

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
    TRY(verify_case_compare(t, what, got, t->choices * n, TOLERANCE_METHOD, err));
cleanup:
    t->setup.choice = 0;
    free(got);
    return rc;
}

/* From all prompts. */
static enum err_code derive(struct verify_case *t, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct rng stream = rng_stream(0, "verify");
    const struct method_training training = {
        .prompts = t->prompts, .T0 = t->T0, .chunk = t->prompts.n, .stream = &stream};
    TRY(t->setup.method->derivation.derive(t->w, &training, &t->setup, err));
    if (verify_case_has(t, "derived"))
        TRY(verify_case_compare(t, "derived", t->w, t->weights, TOLERANCE_METHOD, err));
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

static void case_release(struct verify_case *t) {
    basis_set_destroy(&t->basis);
    free(t->w);
}

static enum err_code compare_case(struct verify_case *t, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct params *p = t->setup.params;
    const struct method *m;
    method_setup_named(&t->setup, t->c->method, p);
    t->setup.variant = t->c->variant;
    t->setup.layer = t->c->layer;
    if (t->c->keys) memcpy(t->setup.keys, t->c->keys, t->c->keys_bytes);
    m = t->setup.method;
    t->weights = method_weights(&t->setup);
    t->choices = method_choices(&t->setup);
    t->w = calloc(t->weights + 1, sizeof *t->w);
    CHECK(t->w, ERR_MEMORY, "no memory for %zu weights", t->weights);
    if (m->derivation.derive) TRY(derive(t, err));
    if (verify_case_has(t, "weights")) TRY(read_weights(t, err));
    TRY(collect(t, err));
    if (verify_case_has(t, "curve")) TRY(compare_curve(t, "curve", t->prompts.n, err));
    TRY(verify_fit(t, err));
    if (!verify_case_has(t, "mean_curve")) goto cleanup;
    TRY(take_mean(t, err));
    TRY(compare_curve(t, "mean_curve", 1, err));
cleanup:
    case_release(t);
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
    TRY(verify_use_arithmetic(&p, r, false, err));
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
