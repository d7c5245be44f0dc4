/*
 * fit_run.h - the keys of `fit`, read once, and the run.
 */
#ifndef STAGES_FIT_RUN_H
#define STAGES_FIT_RUN_H

#include "optim/fit_loop.h"
#include "passes/fit_data.h"
#include "sources/source.h"
#include "stages/job_model.h"

struct fit_keys {
    size_t points, prompts, train; /* points and number of the prompts; how many of them train */
    size_t batch, shards;
    size_t lengths[FIT_LENGTHS], n_lengths; /* of queries in one loss; none: points alone */
    bool lbfgs;
    bool mean; /* the basis is the mean over the training prompts */
    struct prompt_loss loss;
    int64_t epochs, patience, repeat, checkpoint_every;
    enum fit_rule rule;
    enum context_precision contexts;
};

void fit_keys_read(struct fit_keys *k, const struct config_point *point);

/* Options of the data for these keys; the caller adds the prompts' arrays and the memory. */
void fit_keys_data(struct fit_data_options *out, const struct fit_keys *k,
                   const struct method_setup *setup, size_t T0);

/* The prompts of a fit, which stay as long as *source, and a stream of its own for a purpose. */
enum err_code fit_draw_prompts(struct source **source, struct prompt_view *prompts,
                               const struct fit_keys *k, const struct job_ctx *ctx,
                               struct err *err);
struct rng fit_stream(const struct fit_keys *k, uint64_t seed, const char *purpose);

/* run() of the stage. */
enum err_code fit_stage_run(struct job_ctx *ctx, struct err *err);

#endif
