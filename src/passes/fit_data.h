/*
 * fit_data.h - the samples of a fit: contexts, basis and targets; loss and gradient of any of them.
 *
 * Sample i is a prompt: its query is the last x, its target the last y, its basis the first T0
 * points of the same prompt (methods 1.5).  Or it has several queries, the last x of its first
 * points at each of some lengths, and its loss is their mean: one context serves them all. Contexts
 * of all samples are kept when they fit in `memory`, otherwise filled again for every pass: the
 * bits are the same.  Samples belong to shards, i to shard i mod `shards`; a rank holds the shards
 * it computes, and a mini-batch is one pass per shard over the batch's samples in it.  `fit` and
 * `verify` both call this.
 */
#ifndef PASSES_FIT_DATA_H
#define PASSES_FIT_DATA_H

#include "activations/basis_set.h"
#include "job/job.h"
#include "methods/vector_pass.h"
#include "sources/prompt_loss.h"
#include "sources/prompt_view.h"

enum { FIT_LENGTHS = 32 };

struct fit_data_options {
    const struct method_setup *setup; /* must outlive the data */
    struct prompt_view prompts;       /* all samples; borrowed for as long */
    size_t basis_points;              /* T0, at most prompts.points; unused without a basis */
    bool mean;                        /* one basis, the mean over the first `train` samples */
    size_t train;
    size_t batch;                           /* samples of a pass at most */
    size_t lengths[FIT_LENGTHS], n_lengths; /* in points, from 1; none: prompts.points alone */
    size_t shards;
    size_t memory; /* bytes for contexts that are kept; 0: always filled again */
    struct prompt_loss loss;
    enum context_precision contexts;
};

struct fit_data;

/* ctx: the job this is for, with its group; NULL: alone. Collective over the group when mean. */
enum err_code fit_data_create(struct fit_data **out, const struct fit_data_options *o,
                              struct job_ctx *ctx, struct err *err);
void fit_data_destroy(struct fit_data *d); /* NULL-safe */

/* Bytes of one rank that has `count` shards: all but contexts; contexts that are kept; those of one
 * pass, where they are not. */
size_t fit_data_bytes(const struct fit_data_options *o, const struct model_dims *dims,
                      size_t count);
size_t fit_data_kept_bytes(const struct fit_data_options *o, const struct model_dims *dims,
                           size_t count);
size_t fit_data_pass_bytes(const struct fit_data_options *o, const struct model_dims *dims);

/* For each of this rank's shards s, its part of the n samples rows[]: loss[s] = weight * sum of
 * losses and dw[s * weights ..] the gradient of that, both overwritten; dw NULL: no gradient. At
 * most `batch` of the samples may be in one shard. */
void fit_data_pass(double *loss, float *dw, struct fit_data *d, const float *w,
                   const uint32_t *rows, size_t n, double weight);

/* Alone only: v [L, n, E] ([L, 1, E] where one serves all), prediction [n] of samples rows[], n <=
 * batch, where each has one length; either may be NULL. */
void fit_data_look(float *v, float *prediction, struct fit_data *d, const float *w,
                   const uint32_t *rows, size_t n);

/* The mean basis, one row, or NULL. */
const struct basis_set *fit_data_mean(const struct fit_data *d);

#endif
