/*
 * fit_data.h - the samples of a fit (contexts, basis, targets), and loss and gradient on any of
 * them.
 *
 * Sample i is a prompt: its query is the last x, its target the last y, its basis that of the first
 * T0 points of the same prompt (docs/methods.md). With `lengths` it has several queries, the last x
 * of its first n points for each length n, and its loss is their mean; one context serves them all.
 * A sample of text has a row for each token of its answer, and its basis is that of another prompt.
 *
 * Contexts of all samples are cached if they fit into `memory`, otherwise recomputed for every
 * pass; the bits are the same. With `share` cached contexts are those that an earlier job left, and
 * stay for later ones, one block per shard. Sample i belongs to shard i mod `shards`; a rank holds
 * the shards that it computes, and a mini-batch is one pass per shard over those of its samples
 * that are in the shard. `fit` and `verify` both use this.
 */
#ifndef PASSES_FIT_DATA_H
#define PASSES_FIT_DATA_H

#include "activations/basis_set.h"
#include "job/job.h"
#include "methods/vector_pass.h"
#include "sources/prompt_loss.h"
#include "sources/prompt_size.h"
#include "sources/prompt_view.h"

enum { FIT_LENGTHS = 32 };

struct fit_data_options {
    const struct method_setup *setup; /* must outlive the data */
    struct prompt_view prompts;       /* all samples; must stay valid as long as the data */
    size_t basis_points;              /* T0, at most prompts.points; unused without a basis */
    struct prompt_view basis_prompts; /* of text: of T0 points, one for each sample, or unused */
    struct prompt_size size;          /* of text */
    bool first_token;                 /* the loss of text is that of the first token of an answer */
    const struct teacher *teacher;    /* of LOSS_DIVERGENCE: of the same options */
    bool mean; /* one basis for all: the mean over the first `averaged` samples */
    size_t averaged;
    size_t batch;                           /* most samples of a pass */
    size_t lengths[FIT_LENGTHS], n_lengths; /* in points, from 1; none: prompts.points alone */
    size_t shards;
    size_t memory; /* bytes for cached contexts; 0: always recomputed */
    double part;   /* of the job's work that making all contexts is, from 0 to below 1: its progress
                      goes from 0 to this while they are made */
    struct prompt_loss loss;
    enum context_precision contexts;
    const struct context_share *share; /* must outlive the data; NULL: contexts are not shared */
};

struct fit_data;

/* ctx: the job with its group of ranks; NULL: a single process. With `mean` all ranks of the group
 * must call this together. */
enum err_code fit_data_create(struct fit_data **out, const struct fit_data_options *o,
                              struct job_ctx *ctx, struct err *err);
void fit_data_destroy(struct fit_data *d); /* NULL-safe */

/* The progress that fit_data_create() reported, from 0 to 1: less than `part` where an earlier job
 * left contexts. */
double fit_data_part(const struct fit_data *d);

/* Bytes of one rank that has `count` shards: everything but contexts; cached contexts; contexts of
 * one pass, if they are not cached. */
size_t fit_data_bytes(const struct fit_data_options *o, const struct model_dims *dims,
                      size_t count);
size_t fit_data_cached_bytes(const struct fit_data_options *o, const struct model_dims *dims,
                             size_t count);
size_t fit_data_pass_bytes(const struct fit_data_options *o, const struct model_dims *dims);

/* For each shard s of this rank, over those of the n samples rows[] that are in it: loss[s] =
 * weight * the sum of losses, and dw[s * weights ..] its gradient; both are overwritten. dw NULL:
 * no gradient. At most `batch` of the samples may be in one shard. */
void fit_data_pass(double *loss, float *dw, struct fit_data *d, const float *w,
                   const uint32_t *rows, size_t n, double weight);

/* The vectors v [L, n, E] ([L, 1, E] if one serves all) and predictions [n] of samples rows[], n <=
 * batch; either may be NULL. With one shard and one length per sample only. */
void fit_data_predict(float *v, float *prediction, struct fit_data *d, const float *w,
                      const uint32_t *rows, size_t n);

/* The mean basis (one row), or NULL. */
const struct basis_set *fit_data_mean(const struct fit_data *d);

#endif
