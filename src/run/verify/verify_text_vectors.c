/*
 * The groups `ltv` and `fv` of a reference file of a language model: vectors of the mean head
 * outputs at the last tokens of its prompts, and the answers of the same prompts under them, by the
 * functions of fit and evaluate.
 */
#include <stdio.h>
#include <stdlib.h>

#include "activations/basis_set.h"
#include "methods/fv.h"
#include "methods/ltv.h"
#include "methods/vector_pass.h"
#include "model/vocabulary.h"
#include "run/verify/verify_reference.h"
#include "run/verify/verify_text.h"

/* A method with its weights on the mean basis. */
struct vector_case {
    const struct text_reference *t;
    const struct basis_set *mean;
    struct method_setup setup;
    const float *w;
    const char *part, *group; /* of the report and the file */
    bool learns;              /* compare loss and gradient */
};

static enum err_code collect_mean(struct basis_set *mean, const struct text_reference *t,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &t->params->dims;
    struct query q = {0};
    double *sum = NULL;
    TRY(basis_set_create(mean, d, basis_bit(BASIS_HEADS) | basis_bit(BASIS_ATTENTION), 1, err));
    sum = calloc(basis_set_floats(mean), sizeof *sum);
    CHECK(sum, ERR_MEMORY, "no memory for the mean of %zu prompts", t->B);
    TRY(query_create(&q, d, t->B, t->T - 1, false, err));
    query_forward(&q, t->params, &t->context, &t->rows, &(struct edits){0});
    for (size_t b = 0; b < t->B; b++) basis_set_add(sum, mean, &q, b, BASIS_PASS_WHOLE);
    basis_set_mean(mean, sum, t->B);
cleanup:
    query_destroy(&q);
    free(sum);
    return rc;
}

static enum err_code compare(const struct vector_case *c, const char *what, const float *got,
                             size_t n, enum tolerance tolerance, struct err *err) {
    char name[96];
    (void)snprintf(name, sizeof name, "%s/%s", c->group, what);
    return text_reference_compare(c->t, c->part, name, got, n, tolerance, err);
}

static enum err_code compare_loss(const struct vector_case *c, struct vector_pass *pass,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    static const struct params frozen; /* members NULL: no weight gradient is wanted */
    const struct text_reference *t = c->t;
    const struct basis basis = basis_set_view(c->mean, 0, 1);
    const size_t n = method_weights(&c->setup);
    struct vocabulary v = {0};
    float *dx = calloc(t->B * t->params->dims.E, sizeof *dx), *dw = calloc(n, sizeof *dw);
    CHECK(dx && dw, ERR_MEMORY, "no memory for the gradient of %zu prompts", t->B);
    TRY(vocabulary_create(&v, &t->params->dims, t->B, true, err));
    const float loss = (float)vocabulary_cross_entropy(
        dx, &frozen, &v, t->params, query_output(&pass->query), t->target, 1 / (double)t->B, t->B);
    TRY(compare(c, "cross_entropy", &loss, 1, TOLERANCE_FORWARD, err));
    vector_pass_backward(dw, pass, &t->context, &t->rows, &basis, dx);
    TRY(compare(c, "phi_grad", dw, n, TOLERANCE_TEXT_GRADIENT, err));
cleanup:
    vocabulary_destroy(&v);
    free(dx);
    free(dw);
    return rc;
}

static enum err_code compare_answers(const struct vector_case *c, const struct vector_pass *pass,
                                     struct err *err) {
    enum err_code rc = ERR_OK;
    const struct text_reference *t = c->t;
    const size_t n = t->B * t->params->dims.vocabulary;
    float *logits = calloc(n, sizeof *logits);
    CHECK(logits, ERR_MEMORY, "no memory for the logits of %zu prompts", t->B);
    TRY(text_reference_logits(logits, NULL, t->params, query_output(&pass->query), t->B, err));
    TRY(compare(c, "logits_last_token", logits, n, TOLERANCE_FORWARD, err));
cleanup:
    free(logits);
    return rc;
}

static enum err_code compare_case(const struct vector_case *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct text_reference *t = c->t;
    const struct basis basis = basis_set_view(c->mean, 0, 1);
    struct vector_pass pass = {0};
    TRY(vector_pass_create(&pass, &c->setup, t->B, t->T - 1, c->learns, err));
    vector_pass_set(&pass, &basis, c->w);
    TRY(compare(c, "vector", pass.v, method_values(&c->setup), TOLERANCE_FORWARD, err));
    vector_pass_run(&pass, &t->context, &t->rows);
    TRY(compare_answers(c, &pass, err));
    if (c->learns) TRY(compare_loss(c, &pass, err));
cleanup:
    vector_pass_destroy(&pass);
    return rc;
}

static enum err_code compare_ltv(const struct text_reference *t, const struct basis_set *mean,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &t->params->dims;
    struct fixture_array phi = {0};
    struct vector_case c = {.t = t, .mean = mean, .part = "ltv", .learns = true};
    TRY(verify_reference_floats(&phi, t->file, "phi", d->L * d->H, err));
    c.w = phi.floats;
    method_setup_named(&c.setup, "ltv", t->params);
    c.setup.variant = LTV_BLOCKS;
    c.group = "ltv/released_code";
    TRY(compare_case(&c, err));
    c.setup.variant = LTV_HEADS;
    c.group = "ltv/paper";
    TRY(compare_case(&c, err));
cleanup:
    fixture_array_release(&phi);
    return rc;
}

static enum err_code read_heads(float *w, const struct text_reference *t, const char *name,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &t->params->dims;
    struct fixture_array pairs = {0};
    TRY(fixture_integers(&pairs, t->file, name, 2, err));
    for (size_t i = 0; i + 1 < pairs.n; i += 2) {
        const int64_t l = pairs.integers[i], h = pairs.integers[i + 1];
        CHECK(l >= 0 && l < (int64_t)d->L && h >= 0 && h < (int64_t)d->H, ERR_DATA,
              "%s: %s: layer %lld, head %lld is not in the model", fixture_path(t->file), name,
              (long long)l, (long long)h);
        w[(size_t)l * d->H + (size_t)h] = 1;
    }
cleanup:
    fixture_array_release(&pairs);
    return rc;
}

enum err_code text_reference_fv(struct method_setup *setup, float *w,
                                const struct text_reference *t, const char *prefix,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &t->params->dims;
    struct fixture_array layer = {0};
    struct fv_keys keys = {.bias = FV_PER_HEAD, .scale = 1, .n_layers = 1};
    char name[128];
    (void)snprintf(name, sizeof name, "%sfv/layer_head_pairs", prefix);
    TRY(read_heads(w, t, name, err));
    (void)snprintf(name, sizeof name, "%sfv/edit_layer", prefix);
    TRY(fixture_integers(&layer, t->file, name, 0, err));
    CHECK(layer.integers[0] >= 0 && layer.integers[0] < (int64_t)d->L, ERR_DATA,
          "%s: %s: %lld is not in the model", fixture_path(t->file), name,
          (long long)layer.integers[0]);
    keys.layers[0] = (uint32_t)layer.integers[0];
    method_setup_named(setup, "fv", t->params);
    setup->variant = CAUSAL_HEADS;
    fv_set_keys(setup, keys);
cleanup:
    fixture_array_release(&layer);
    return rc;
}

static enum err_code compare_fv(const struct text_reference *t, const struct basis_set *mean,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &t->params->dims;
    struct vector_case c = {.t = t, .mean = mean, .part = "fv", .group = "fv"};
    float *w = calloc(d->L * d->H, sizeof *w);
    CHECK(w, ERR_MEMORY, "no memory for %zu heads", d->L * d->H);
    TRY(text_reference_fv(&c.setup, w, t, "", err));
    c.w = w;
    TRY(compare_case(&c, err));
cleanup:
    free(w);
    return rc;
}

enum err_code verify_text_vectors(const struct text_reference *t, struct err *err) {
    enum err_code rc = ERR_OK;
    struct basis_set mean = {0};
    TRY(collect_mean(&mean, t, err));
    if (fixture_has(t->file, "ltv")) TRY(compare_ltv(t, &mean, err));
    if (fixture_has(t->file, "fv")) TRY(compare_fv(t, &mean, err));
cleanup:
    basis_set_destroy(&mean);
    return rc;
}
