/*
 * The tasks of the reference file of a pretrained model: mean head outputs of its basis prompts,
 * and the answers of zero-shot prompts alone, under learnable task vectors with their gradients and
 * six steps of Adam, and under function vectors.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activations/basis_set.h"
#include "methods/fv.h"
#include "methods/ltv.h"
#include "methods/vector_pass.h"
#include "model/family.h"
#include "model/vocabulary.h"
#include "optim/adam.h"
#include "run/verify/verify_pretrained.h"

enum { STEPS = 6, GROUP = 64 };

struct task {
    struct text_reference t; /* the zero-shot prompts */
    char group[GROUP];       /* "tasks/NAME/" */
    struct basis_set mean;   /* the file's mean head outputs, and what they give after W_o */
    struct vocabulary answers;
    float *logits; /* [B, V] */
    float *dx;     /* [B, E] */
};

static void name_of(char out[2 * GROUP], const struct task *k, const char *group,
                    const char *name) {
    (void)snprintf(out, 2 * (size_t)GROUP, "%s%s%s", k->group, group, name);
}

static enum err_code compare_value(const struct task *k, const char *part, const char *group,
                                   const char *name, const float *got, size_t n,
                                   enum tolerance tolerance, struct err *err) {
    char whole[2 * GROUP];
    name_of(whole, k, group, name);
    return pretrained_compare(&k->t, part, whole, got, n, tolerance, err);
}

/* ---- the basis */

/* a = z W_o + b of every layer. */
static void project(struct basis_set *mean, const struct params *p) {
    const struct model_dims *d = &p->dims;
    const size_t Z = model_heads_width(d), E = d->E;
    for (size_t l = 0; l < d->L; l++) {
        const struct layer_params *layer = &p->layers[l];
        const struct weight_map map = {
            .W = layer->proj_w, .b = layer->proj_b, .I = Z, .O = E, .layout = family_of(d)->layout};
        weight_forward(mean->part[BASIS_ATTENTION] + l * E, E, mean->part[BASIS_HEADS] + l * Z,
                       &map, 1);
    }
}

static enum err_code read_basis(struct task *k, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &k->t.params->dims;
    const size_t n = d->L * model_heads_width(d);
    struct fixture_array z = {0};
    char name[2 * GROUP];
    name_of(name, k, "", "mean_head_outputs");
    TRY(fixture_floats(&z, k->t.file, name, 3, err));
    CHECK(z.n == n, ERR_DATA, "%s: %s: expected %zu numbers", fixture_path(k->t.file), name, n);
    TRY(basis_set_create(&k->mean, d, basis_bit(BASIS_HEADS) | basis_bit(BASIS_ATTENTION), 1, err));
    memcpy(k->mean.part[BASIS_HEADS], z.floats, n * sizeof *z.floats);
    project(&k->mean, k->t.params);
cleanup:
    fixture_array_release(&z);
    return rc;
}

/* The mean head outputs of the basis prompts themselves. */
static enum err_code compare_basis(const struct task *k, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &k->t.params->dims;
    const size_t L = d->L, Z = model_heads_width(d);
    struct text_reference t = {.report = k->t.report, .file = k->t.file, .params = k->t.params};
    struct query q = {0};
    char prefix[2 * GROUP], name[2 * GROUP];
    float *mean = calloc(L * Z, sizeof *mean);
    CHECK(mean, ERR_MEMORY, "no memory for %zu head outputs", L * Z);
    name_of(prefix, k, "basis_", "");
    TRY(text_reference_fill(&t, prefix, err));
    TRY(query_create(&q, d, t.B, t.T - 1, false, err));
    query_forward(&q, t.params, &t.context, &t.rows, &(struct edits){0});
    for (size_t i = 0; i < L * Z; i++) {
        double sum = 0;
        for (size_t b = 0; b < t.B; b++) sum += (double)q.z[(i / Z * q.capacity + b) * Z + i % Z];
        mean[i] = (float)(sum / (double)t.B);
    }
    name_of(name, k, "", "mean_head_outputs");
    TRY(pretrained_rows(&k->t, "heads", name, mean, L, Z, TOLERANCE_PRETRAINED_HEADS, err));
cleanup:
    query_destroy(&q);
    text_reference_release(&t);
    free(mean);
    return rc;
}

/* ---- answers */

static enum err_code create_answers(struct task *k, struct err *err) {
    const struct model_dims *d = &k->t.params->dims;
    k->logits = calloc(k->t.B * d->vocabulary, sizeof *k->logits);
    k->dx = calloc(k->t.B * d->E, sizeof *k->dx);
    if (!k->logits || !k->dx)
        return ERR(err, ERR_MEMORY, "no memory for the logits of %zu prompts", k->t.B);
    return vocabulary_create(&k->answers, d, k->t.B, true, err);
}

/* Mean cross entropy over the prompts, and its gradient in k->dx. */
static float mean_loss(struct task *k, const struct query *q) {
    static const struct params frozen; /* members NULL: no weight gradient is wanted */
    const struct text_reference *t = &k->t;
    return (float)vocabulary_cross_entropy(k->dx, &frozen, &k->answers, t->params, query_output(q),
                                           t->target, 1 / (double)t->B, t->B);
}

static enum err_code compare_plain(struct task *k, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct text_reference *t = &k->t;
    struct query q = {0};
    TRY(query_create(&q, &t->params->dims, t->B, t->T - 1, false, err));
    query_forward(&q, t->params, &t->context, &t->rows, &(struct edits){0});
    TRY(text_reference_logits(k->logits, NULL, t->params, query_output(&q), t->B, err));
    TRY(pretrained_logits(t, "logits", k->group, k->logits, err));
    const float loss = mean_loss(k, &q);
    TRY(compare_value(k, "logits", "", "cross_entropy_plain", &loss, 1, TOLERANCE_PRETRAINED_LOGIT,
                      err));
cleanup:
    query_destroy(&q);
    return rc;
}

/* A vector and the answers under it. */
static enum err_code compare_edited(struct task *k, const char *part, const char *group,
                                    const struct vector_pass *pass, size_t layers,
                                    struct err *err) {
    enum err_code rc = ERR_OK;
    const struct text_reference *t = &k->t;
    const struct model_dims *d = &t->params->dims;
    char name[2 * GROUP];
    name_of(name, k, group, "vector");
    TRY(pretrained_rows(t, part, name, pass->v, layers, d->E, TOLERANCE_PRETRAINED_STATES, err));
    TRY(text_reference_logits(k->logits, NULL, t->params, query_output(&pass->query), t->B, err));
    name_of(name, k, group, "");
    TRY(pretrained_logits(t, part, name, k->logits, err));
    TRY(compare_value(k, part, group, "first_row_logits", k->logits, d->vocabulary,
                      TOLERANCE_PRETRAINED_LOGIT, err));
    const float loss = mean_loss(k, &pass->query);
    TRY(compare_value(k, part, group, "cross_entropy", &loss, 1, TOLERANCE_PRETRAINED_LOGIT, err));
cleanup:
    return rc;
}

/* Of every prompt. */
static enum err_code compare_losses(struct task *k, const char *group, const struct query *q,
                                    struct err *err) {
    enum err_code rc = ERR_OK;
    const struct text_reference *t = &k->t;
    double *log_prob = calloc(t->B, sizeof *log_prob);
    float *loss = calloc(t->B, sizeof *loss);
    CHECK(log_prob && loss, ERR_MEMORY, "no memory for %zu prompts", t->B);
    vocabulary_log_prob(log_prob, &k->answers, t->params, query_output(q), t->target, t->B);
    for (size_t b = 0; b < t->B; b++) loss[b] = (float)-log_prob[b];
    TRY(compare_value(k, "ltv", group, "cross_entropy_rows", loss, t->B, TOLERANCE_PRETRAINED_LOGIT,
                      err));
cleanup:
    free(log_prob);
    free(loss);
    return rc;
}

/* ---- learnable task vectors */

struct training {
    float *w, *gradient, *m, *v; /* [n] */
    float losses[STEPS];
    size_t n;
};

static enum err_code training_create(struct training *s, size_t n, struct err *err) {
    *s = (struct training){.n = n, .w = calloc(4 * n, sizeof(float))};
    if (!s->w) return ERR(err, ERR_MEMORY, "no memory for %zu weights", n);
    s->gradient = s->w + n;
    s->m = s->gradient + n;
    s->v = s->m + n;
    return ERR_OK;
}

/* Loss and gradient at s->w. */
static float differentiate(struct training *s, struct task *k, struct vector_pass *pass) {
    const struct basis basis = basis_set_view(&k->mean, 0, 1);
    vector_pass_set(pass, &basis, s->w);
    vector_pass_run(pass, &k->t.context, &k->t.rows);
    const float loss = mean_loss(k, &pass->query);
    vector_pass_backward(s->gradient, pass, &k->t.context, &k->t.rows, &basis, k->dx);
    return loss;
}

/* Weights after the steps: all of them, and the share that is not close. */
static enum err_code compare_trained(const struct task *k, const char *group,
                                     const struct training *s, struct err *err) {
    enum err_code rc = ERR_OK;
    struct fixture_array want = {0};
    char name[2 * GROUP];
    size_t apart = 0;
    name_of(name, k, group, "phi_after_6_adam_steps");
    TRY(pretrained_floats(&want, &k->t, name, s->n, err));
    for (size_t i = 0; i < s->n; i++)
        apart += !(fabs((double)s->w[i] - (double)want.floats[i]) <=
                   verify_bound(k->t.report, TOLERANCE_PRETRAINED_CLOSE));
    TRY(verify_floats(k->t.report, "ltv", name, s->w, want.floats, s->n,
                      TOLERANCE_PRETRAINED_WEIGHTS, err));
    TRY(verify_count(k->t.report, "ltv", name, apart * 100 > s->n ? apart : 0, "", err));
cleanup:
    fixture_array_release(&want);
    return rc;
}

static enum err_code compare_learning(struct task *k, const char *group, struct vector_pass *pass,
                                      struct training *s, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct adam adam = {0.9F, 0.999F, 1e-8F};
    s->losses[0] = differentiate(s, k, pass);
    TRY(compare_edited(k, "ltv", group, pass, k->t.params->dims.L, err));
    TRY(compare_losses(k, group, &pass->query, err));
    TRY(compare_value(k, "ltv", group, "phi_grad", s->gradient, s->n, TOLERANCE_TEXT_GRADIENT,
                      err));
    for (size_t step = 1; step <= STEPS; step++) {
        adam_step(s->w, s->m, s->v, s->gradient, s->n, &adam, 0.01F, (int64_t)step);
        if (step < STEPS) s->losses[step] = differentiate(s, k, pass);
    }
    TRY(compare_value(k, "ltv", group, "losses", s->losses, STEPS, TOLERANCE_PRETRAINED_LOGIT,
                      err));
    TRY(compare_trained(k, group, s, err));
cleanup:
    return rc;
}

static enum err_code compare_ltv(struct task *k, int variant, const char *group, struct err *err) {
    enum err_code rc = ERR_OK;
    struct method_setup setup;
    struct vector_pass pass = {0};
    struct training training = {0};
    struct fixture_array phi = {0};
    char name[2 * GROUP];
    method_setup_named(&setup, "ltv", k->t.params);
    setup.variant = variant;
    name_of(name, k, "", "phi");
    TRY(training_create(&training, method_weights(&setup), err));
    TRY(pretrained_floats(&phi, &k->t, name, training.n, err));
    memcpy(training.w, phi.floats, training.n * sizeof *phi.floats);
    TRY(vector_pass_create(&pass, &setup, k->t.B, k->t.T - 1, true, err));
    TRY(compare_learning(k, group, &pass, &training, err));
cleanup:
    vector_pass_destroy(&pass);
    free(training.w);
    fixture_array_release(&phi);
    return rc;
}

/* ---- function vectors */

static enum err_code compare_fv(struct task *k, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct basis basis = basis_set_view(&k->mean, 0, 1);
    struct vector_pass pass = {0};
    struct method_setup setup;
    const size_t L = k->t.params->dims.L, H = k->t.params->dims.H;
    float *w = calloc(L * H, sizeof *w);
    CHECK(w, ERR_MEMORY, "no memory for %zu heads", L * H);
    TRY(text_reference_fv(&setup, w, &k->t, k->group, err));
    TRY(vector_pass_create(&pass, &setup, k->t.B, k->t.T - 1, false, err));
    vector_pass_set(&pass, &basis, w);
    vector_pass_run(&pass, &k->t.context, &k->t.rows);
    TRY(compare_edited(k, "fv", "fv/", &pass, 1, err));
cleanup:
    vector_pass_destroy(&pass);
    free(w);
    return rc;
}

/* ---- all tasks */

struct walk {
    struct verify_report *report;
    const struct fixture *file;
    const struct params *params;
};

static enum err_code compare_task(void *context, const char *name, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct walk *w = context;
    struct task k = {.t = {.report = w->report, .file = w->file, .params = w->params}};
    CHECK(snprintf(k.group, sizeof k.group, "tasks/%s/", name) < GROUP - 24, ERR_DATA,
          "%s: tasks: a name of more than %d bytes", fixture_path(w->file), GROUP - 32);
    TRY(text_reference_fill(&k.t, k.group, err));
    TRY(create_answers(&k, err));
    TRY(read_basis(&k, err));
    TRY(compare_basis(&k, err));
    TRY(compare_plain(&k, err));
    TRY(compare_ltv(&k, LTV_BLOCKS, "ltv/released_code/", err));
    TRY(compare_ltv(&k, LTV_HEADS, "ltv/paper/", err));
    TRY(compare_fv(&k, err));
    char shuffled[2 * GROUP];
    name_of(shuffled, &k, "fv/", "corrupted_token_ids");
    if (fixture_has(w->file, shuffled))
        TRY(verify_pretrained_effects(&k.t, k.group, k.mean.part[BASIS_HEADS], err));
cleanup:
    vocabulary_destroy(&k.answers);
    free(k.logits);
    free(k.dx);
    basis_set_destroy(&k.mean);
    text_reference_release(&k.t);
    return rc;
}

enum err_code verify_pretrained_tasks(struct verify_report *r, const struct fixture *f,
                                      const struct params *p, struct err *err) {
    struct walk w = {r, f, p};
    return fixture_has(f, "tasks") ? fixture_members(f, "tasks", compare_task, &w, err) : ERR_OK;
}
