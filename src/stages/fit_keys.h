/*
 * fit_keys.h - the keys of `fit` as a struct, and what follows from them alone: the options of the
 * data, the random streams.
 *
 * Planning, learning (fit_run.c) and derivation (fit_derived.c) read the keys here, so that all
 * three see the same numbers. The rows of the schema are in fit.c.
 */
#ifndef STAGES_FIT_KEYS_H
#define STAGES_FIT_KEYS_H

#include "job/job.h"
#include "optim/fit_loop.h"
#include "passes/fit_data.h"
#include "sources/source.h"

struct fit_keys {
    size_t points;         /* of each prompt; the loss is taken at the last one. 0: those of the
                              basis, see fit_keys_settle() */
    size_t prompts, train; /* all prompts; the first `train` of them train, the rest validate */
    size_t batch, shards;
    struct prompt_size size; /* of text: set by whoever has measured the prompts (fit_prompts.h) */
    size_t lengths[FIT_LENGTHS], n_lengths; /* query points of one loss; none: `points` alone */
    bool lbfgs;
    bool mean; /* the basis is the mean over the training prompts */
    struct prompt_loss loss;
    size_t teacher;   /* points of the teacher's prompts; 0: there is none */
    bool first_token; /* of text: the loss is that of the first token of the answer */
    size_t averaged;  /* training prompts, the first ones, of that mean */
    int64_t epochs, patience, repeat, checkpoint_every;
    int64_t validate_every; /* updates of an epoch; 0: one pass over the training prompts */
    enum fit_rule rule;
    enum context_precision contexts;
};

void fit_keys_read(struct fit_keys *k, const struct config_point *point);

/* For a method that reads no `points`, without `choice_points`: prompts of T0 points, at the last
 * of which its validation loss is taken. */
void fit_keys_settle(struct fit_keys *k, size_t T0);

/* Whether a fit of this method on a source of this kind reads the key of the stage: the table is in
 * fit_keys.c. A key that it does not read is no part of its point and multiplies no job
 * (config/fold.h). */
bool fit_keys_read_by(const char *method, const char *kind, const char *key);

/* Whether fits that differ in this key have the same validation prompts and the same loss, so that
 * their validation losses can be compared; false also for `method`, and for files. */
bool fit_keys_comparable(const struct config_key *key);

/* Options of the data for these keys; the caller adds the prompts' arrays and the memory. T0: point
 * of the basis, 0 if there is none. */
void fit_keys_data(struct fit_data_options *out, const struct fit_keys *k,
                   const struct method_setup *setup, size_t T0);

/* The random stream of one purpose ("init", "shuffle", "derive") of this repeat. */
struct rng fit_stream(const struct fit_keys *k, uint64_t seed, const char *purpose);

#endif
