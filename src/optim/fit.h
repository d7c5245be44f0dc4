/*
 * fit.h - mini-batch descent on a few numbers with early stopping.
 *
 * Knows no model: the caller's callbacks give losses and gradients.  Epochs are shuffles of the
 * training samples (a pure function of stream and epoch); the last, smaller batch is kept.  After
 * each epoch the validation loss decides: the best weights are kept, and `patience` epochs without
 * improvement end the fit: consecutive ones, or, as the published code counts, in all (cumulative).
 * The first epoch always counts as an improvement; patience 0 never ends a fit.  An end is between
 * epochs, so a state saved by the `epoch` callback continues with the same bits.  0 epochs keep the
 * initial weights: their validation loss is told, and the training loss is NAN.
 */
#ifndef OPTIM_FIT_H
#define OPTIM_FIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rng.h"
#include "optim/adam.h"
#include "optim/schedule.h"

enum fit_rule { FIT_CONSECUTIVE, FIT_CUMULATIVE };
enum fit_end { FIT_RUNNING, FIT_PATIENCE, FIT_EPOCHS, FIT_STOPPED };

struct fit_options {
    struct adam adam;
    struct schedule schedule;
    size_t weights; /* how many numbers are learned */
    size_t samples; /* training samples */
    size_t batch;
    int64_t epochs, patience;
    enum fit_rule rule;
    struct rng shuffles;
};

/* Everything a fit needs to continue: plain numbers and four arrays of `weights` floats. */
struct fit_state {
    int64_t epoch; /* epochs done */
    int64_t steps; /* updates done */
    int64_t best_epoch;
    int64_t bad_epochs; /* as the rule counts */
    double best_loss, train_loss, validation_loss;
    float *w, *m, *v, *best; /* weights, Adam's moments, best weights; the caller's storage */
};

struct fit_callbacks {
    void *context;
    /* Mean loss over the batch (sample numbers) and its gradient, overwritten. */
    enum err_code (*gradient)(void *context, double *loss, float *gradient, const float *w,
                              const uint32_t *batch, size_t n, struct err *err);
    /* Loss that selects and stops. */
    enum err_code (*validate)(void *context, double *loss, const float *w, struct err *err);
    /* After each epoch: report, checkpoint; may be NULL. ERR_STOPPED ends the fit and is returned.
     */
    enum err_code (*epoch)(void *context, const struct fit_state *state, struct err *err);
};

/* Starts from *state (all counters 0 and w set: a new fit, whose moments are cleared; otherwise a
 * continued one) and runs to the end. A state that had ended returns at once. scratch_g [weights],
 * scratch_order [samples]. On ERR_OK state->best holds the result and *end why it stopped. A loss
 * that is not finite is ERR_NUMERIC with epoch and step. */
enum err_code fit_run(struct fit_state *state, enum fit_end *end, const struct fit_options *o,
                      const struct fit_callbacks *calls, float *scratch_g, uint32_t *scratch_order,
                      struct err *err);

#endif
