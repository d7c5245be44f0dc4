/*
 * The group `ltv` of a reference file: the curve of the plain model, and for each variant of ltv
 * the contribution of every head, the vector, the loss, its gradient, six steps of Adam and the
 * curve after them.
 */
#include "run/verify/verify_ltv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activations/basis_collector.h"
#include "methods/ltv.h"
#include "optim/adam.h"
#include "passes/curve.h"
#include "passes/fit_data.h"
#include "run/verify/verify_reference.h"

struct ltv_reference { /* shared by the variants */
    struct verify_report *report;
    const struct fixture *file;
    const struct params *params;
    struct verify_reference_prompts prompts; /* the long prompts */
    struct basis_set basis;                  /* of the first T0 points of each */
};

struct variant { /* one of the four */
    const char *name;
    struct method_setup setup;
    struct fit_data *data; /* all prompts as one batch */
    size_t weights;
    float *w, *w_start, *m, *v, *gradient;
    uint32_t *rows; /* 0 .. B - 1 */
};

enum { ADAM_STEPS = 6 };

static const char *named(char out[128], const struct variant *g, const char *what) {
    (void)snprintf(out, 128, "ltv/%s/%s", g->name, what);
    return out;
}

static enum err_code compare_ltv(const struct ltv_reference *s, const struct variant *g,
                                 const char *part, const char *what, const float *got, size_t n,
                                 enum tolerance tolerance, struct err *err) {
    char name[128];
    return verify_reference_compare(s->report, s->file, part, named(name, g, what), got, n,
                                    tolerance, err);
}

/* From the order of this program, [L, B, E], to that of the file, [B, L, E]. */
static void by_prompt(float *out, const float *v, size_t L, size_t B, size_t E) {
    for (size_t b = 0; b < B; b++)
        for (size_t l = 0; l < L; l++)
            memcpy(out + (b * L + l) * E, v + (l * B + b) * E, E * sizeof *out);
}

static enum err_code compare_vector(const struct ltv_reference *s, const struct variant *g,
                                    const char *what, enum tolerance tolerance, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &s->params->dims;
    const size_t B = s->prompts.view.n, n = B * d->L * d->E;
    float *v = calloc(2 * n, sizeof *v);
    CHECK(v, ERR_MEMORY, "no memory for the vectors of %zu prompts", B);
    fit_data_predict(v, NULL, g->data, g->w, g->rows, B);
    by_prompt(v + n, v, d->L, B, d->E);
    TRY(compare_ltv(s, g, "ltv", what, v + n, n, tolerance, err));
cleanup:
    free(v);
    return rc;
}

/* Contribution of each head: the vector with weight 1 for this head and 0 for the others. */
static enum err_code compare_head_matrix(const struct ltv_reference *s, const struct variant *g,
                                         struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &s->params->dims;
    const size_t B = s->prompts.view.n, L = d->L, H = d->H, E = d->E;
    float *v = calloc(L * B * E, sizeof *v), *matrix = calloc(B * L * H * E, sizeof *matrix);
    float *one = calloc(L * H, sizeof *one);
    CHECK(v && matrix && one, ERR_MEMORY, "no memory for the heads of %zu prompts", B);
    for (size_t h = 0; h < H; h++) {
        for (size_t i = 0; i < L * H; i++) one[i] = i % H == h ? 1 : 0;
        fit_data_predict(v, NULL, g->data, one, g->rows, B);
        for (size_t b = 0; b < B; b++)
            for (size_t l = 0; l < L; l++)
                memcpy(matrix + ((b * L + l) * H + h) * E, v + (l * B + b) * E, E * sizeof *v);
    }
    TRY(compare_ltv(s, g, "ltv", "head_matrix", matrix, B * L * H * E, TOLERANCE_FORWARD, err));
cleanup:
    free(one);
    free(matrix);
    free(v);
    return rc;
}

static enum err_code compare_start(const struct ltv_reference *s, const struct variant *g,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t B = s->prompts.view.n;
    double loss = 0;
    float *prediction = calloc(B, sizeof *prediction);
    CHECK(prediction, ERR_MEMORY, "no memory for %zu predictions", B);
    fit_data_predict(NULL, prediction, g->data, g->w, g->rows, B);
    TRY(compare_ltv(s, g, "ltv", "query_prediction", prediction, B, TOLERANCE_FORWARD, err));
    fit_data_pass(&loss, g->gradient, g->data, g->w, g->rows, B, 1 / (double)B);
    const float huber = (float)loss;
    TRY(compare_ltv(s, g, "ltv", "huber_loss", &huber, 1, TOLERANCE_FORWARD, err));
    TRY(compare_ltv(s, g, "ltv", "phi_grad", g->gradient, g->weights, TOLERANCE_GRADIENT, err));
cleanup:
    free(prediction);
    return rc;
}

static enum err_code compare_descent(const struct ltv_reference *s, struct variant *g,
                                     struct err *err) {
    enum err_code rc = ERR_OK;
    const struct adam adam = {.beta1 = 0.9F, .beta2 = 0.999F, .epsilon = 1e-8F};
    const size_t B = s->prompts.view.n;
    struct fixture_array lr = {0};
    char name[128];
    float losses[ADAM_STEPS];
    TRY(verify_reference_floats(&lr, s->file, named(name, g, "lr"), 1, err));
    for (int i = 0; i < ADAM_STEPS; i++) {
        double loss = 0;
        fit_data_pass(&loss, g->gradient, g->data, g->w, g->rows, B, 1 / (double)B);
        losses[i] = (float)loss;
        adam_step(g->w, g->m, g->v, g->gradient, g->weights, &adam, lr.floats[0], i + 1);
    }
    TRY(compare_ltv(s, g, "ltv", "losses", losses, ADAM_STEPS, TOLERANCE_LTV_TRAINED, err));
    TRY(compare_ltv(s, g, "ltv", "phi_after_6_adam_steps", g->w, g->weights, TOLERANCE_LTV_TRAINED,
                    err));
    TRY(compare_vector(s, g, "vector_after", TOLERANCE_LTV_TRAINED, err));
cleanup:
    fixture_array_release(&lr);
    return rc;
}

/* Predictions at every length, by the functions of `evaluate`. */
static enum err_code curve_of(float *prediction, const struct ltv_reference *s,
                              const struct method_setup *setup, const float *w, struct err *err) {
    enum err_code rc = ERR_OK;
    struct curve c = {0};
    const size_t B = s->prompts.view.n;
    const struct curve_options o = {.setup = setup,
                                    .chunk = B,
                                    .points = s->prompts.view.points,
                                    .window_points = s->prompts.T0,
                                    .trained_points = s->prompts.T0};
    const struct basis basis = basis_set_view(&s->basis, 0, B);
    TRY(curve_create(&c, &o, err));
    curve_predict(prediction, &c, &s->prompts.view, w ? &basis : NULL, w);
cleanup:
    curve_destroy(&c);
    return rc;
}

static enum err_code compare_curve(const struct ltv_reference *s, const struct variant *g,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = s->prompts.view.n * s->prompts.view.points;
    float *prediction = calloc(n, sizeof *prediction);
    CHECK(prediction, ERR_MEMORY, "no memory for a curve of %zu predictions", n);
    TRY(curve_of(prediction, s, &g->setup, g->w, err));
    TRY(compare_ltv(s, g, "curve", "curve_predictions", prediction, n, TOLERANCE_LTV_TRAINED, err));
cleanup:
    free(prediction);
    return rc;
}

static enum err_code variant_create(struct variant *g, const struct ltv_reference *s,
                                    const char *name, int number, struct err *err) {
    enum err_code rc = ERR_OK;
    struct fixture_array start = {0};
    char name_in_file[128];
    const size_t B = s->prompts.view.n;
    *g = (struct variant){.name = name};
    method_setup_named(&g->setup, "ltv", s->params);
    g->setup.variant = number;
    g->weights = method_weights(&g->setup);
    g->w = calloc(4 * g->weights, sizeof *g->w);
    g->rows = calloc(B, sizeof *g->rows);
    CHECK(g->w && g->rows, ERR_MEMORY, "no memory for %zu weights", g->weights);
    g->m = g->w + g->weights;
    g->v = g->m + g->weights;
    g->gradient = g->v + g->weights;
    for (size_t b = 0; b < B; b++) g->rows[b] = (uint32_t)b;
    TRY(verify_reference_floats(&start, s->file, named(name_in_file, g, "phi_init"), g->weights,
                                err));
    memcpy(g->w, start.floats, g->weights * sizeof *g->w);
    const struct fit_data_options o = {.setup = &g->setup,
                                       .prompts = s->prompts.view,
                                       .basis_points = s->prompts.T0,
                                       .averaged = B,
                                       .batch = B,
                                       .shards = 1,
                                       .memory = SIZE_MAX,
                                       .loss = {.kind = LOSS_HUBER, .delta = 1}};
    TRY(fit_data_create(&g->data, &o, NULL, err));
cleanup:
    fixture_array_release(&start);
    return rc;
}

static void variant_release(struct variant *g) {
    fit_data_destroy(g->data);
    free(g->rows);
    free(g->w);
}

static enum err_code compare_variant(const struct ltv_reference *s, const char *name, int number,
                                     struct err *err) {
    enum err_code rc = ERR_OK;
    struct variant g = {0};
    TRY(variant_create(&g, s, name, number, err));
    TRY(compare_head_matrix(s, &g, err));
    TRY(compare_vector(s, &g, "vector", TOLERANCE_FORWARD, err));
    TRY(compare_start(s, &g, err));
    TRY(compare_descent(s, &g, err));
    TRY(compare_curve(s, &g, err));
cleanup:
    variant_release(&g);
    return rc;
}

static enum err_code compare_plain(const struct ltv_reference *s, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = s->prompts.view.n * s->prompts.view.points;
    struct method_setup plain;
    float *prediction = calloc(n, sizeof *prediction);
    CHECK(prediction, ERR_MEMORY, "no memory for a curve of %zu predictions", n);
    method_setup_named(&plain, "plain", s->params);
    TRY(curve_of(prediction, s, &plain, NULL, err));
    TRY(verify_reference_compare(s->report, s->file, "curve", "ltv/vanilla_curve", prediction, n,
                                 TOLERANCE_FORWARD, err));
cleanup:
    free(prediction);
    return rc;
}

static enum err_code collect_basis(struct ltv_reference *s, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct prompt_view *p = &s->prompts.view;
    TRY(basis_set_create(&s->basis, &s->params->dims,
                         basis_bit(BASIS_HEADS) | basis_bit(BASIS_ATTENTION), p->n, err));
    TRY(basis_set_collect(&s->basis, s->params, p, s->prompts.T0, p->n, err));
cleanup:
    return rc;
}

enum err_code verify_ltv(struct verify_report *r, const struct fixture *f, const struct params *p,
                         struct err *err) {
    enum err_code rc = ERR_OK;
    struct ltv_reference s = {.report = r, .file = f, .params = p};
    TRY(verify_reference_prompts(&s.prompts, f, "ltv/xs_long", "ltv/ys_long", &p->dims, err));
    TRY(collect_basis(&s, err));
    TRY(compare_plain(&s, err));
    for (int i = 0; LTV_READINGS[i]; i++) {
        char group[64];
        (void)snprintf(group, sizeof group, "ltv/%s", LTV_READINGS[i]);
        if (fixture_has(f, group)) TRY(compare_variant(&s, LTV_READINGS[i], i, err));
    }
cleanup:
    basis_set_destroy(&s.basis);
    verify_reference_release(&s.prompts);
    return rc;
}
