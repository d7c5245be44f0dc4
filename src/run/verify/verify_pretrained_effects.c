/*
 * Indirect effects in the reference file of a pretrained model: for label-shuffled prompts, how
 * much more probable the answer is when one head's output at the last token is the mean over clean
 * prompts. Todd et al., ICLR 2024.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/vocabulary.h"
#include "run/verify/verify_pretrained.h"

struct effects {
    struct text_reference t; /* the shuffled prompts */
    const float *mean;       /* [L, H D] head outputs over clean prompts */
    struct query q;
    struct vocabulary answers;
    double *log_prob; /* [B] */
    float *plain;     /* [B] probability of the answer */
    float *effect;    /* [B, L, H] */
    float *average;   /* [L, H] */
};

static enum err_code create_effects(struct effects *e, struct err *err) {
    const struct model_dims *d = &e->t.params->dims;
    const size_t B = e->t.B, heads = d->L * d->H;
    e->log_prob = calloc(B, sizeof *e->log_prob);
    e->plain = calloc(B, sizeof *e->plain);
    e->effect = calloc(B * heads, sizeof *e->effect);
    e->average = calloc(heads, sizeof *e->average);
    if (!e->log_prob || !e->plain || !e->effect || !e->average)
        return ERR(err, ERR_MEMORY, "no memory for the effects of %zu heads", heads);
    const enum err_code rc = query_create(&e->q, d, B, e->t.T - 1, false, err);
    return rc == ERR_OK ? vocabulary_create(&e->answers, d, B, false, err) : rc;
}

static void destroy_effects(struct effects *e) {
    vocabulary_destroy(&e->answers);
    query_destroy(&e->q);
    text_reference_release(&e->t);
    free(e->log_prob);
    free(e->plain);
    free(e->effect);
    free(e->average);
}

/* Fills log_prob under the edits. */
static void run_edited(struct effects *e, const struct edits *edits) {
    const struct text_reference *t = &e->t;
    query_forward(&e->q, t->params, &t->context, &t->rows, edits);
    vocabulary_log_prob(e->log_prob, &e->answers, t->params, query_output(&e->q), t->target, t->B);
}

static void patch_head(struct effects *e, size_t l, size_t h) {
    const struct model_dims *d = &e->t.params->dims;
    const size_t D = model_head_width(d), head = l * d->H + h;
    const struct edit edit = {.layer = l,
                              .site = EDIT_HEADS,
                              .operation = EDIT_REPLACE,
                              .from = h * D,
                              .n = D,
                              .values = e->mean + head * D};
    double sum = 0;
    run_edited(e, &(struct edits){.items = &edit, .n = 1});
    for (size_t b = 0; b < e->t.B; b++) {
        const double effect = exp(e->log_prob[b]) - (double)e->plain[b];
        e->effect[b * d->L * d->H + head] = (float)effect;
        sum += effect;
    }
    e->average[head] = (float)(sum / (double)e->t.B);
}

static enum err_code compare_effect(const struct effects *e, const char *group, const char *name,
                                    const float *got, size_t n, struct err *err) {
    char whole[128];
    (void)snprintf(whole, sizeof whole, "%sfv/%s", group, name);
    return pretrained_compare(&e->t, "fv", whole, got, n, TOLERANCE_PRETRAINED_EFFECT, err);
}

enum err_code verify_pretrained_effects(const struct text_reference *clean, const char *group,
                                        const float *mean, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &clean->params->dims;
    struct effects e = {
        .t = {.report = clean->report, .file = clean->file, .params = clean->params}, .mean = mean};
    char prefix[128];
    (void)snprintf(prefix, sizeof prefix, "%sfv/corrupted_", group);
    TRY(text_reference_fill(&e.t, prefix, err));
    TRY(create_effects(&e, err));
    run_edited(&e, &(struct edits){0});
    for (size_t b = 0; b < e.t.B; b++) e.plain[b] = (float)exp(e.log_prob[b]);
    for (size_t l = 0; l < d->L; l++)
        for (size_t h = 0; h < d->H; h++) patch_head(&e, l, h);
    TRY(compare_effect(&e, group, "probability_corrupted", e.plain, e.t.B, err));
    TRY(compare_effect(&e, group, "indirect_effect", e.effect, e.t.B * d->L * d->H, err));
    TRY(compare_effect(&e, group, "average_indirect_effect", e.average, d->L * d->H, err));
cleanup:
    destroy_effects(&e);
    return rc;
}
