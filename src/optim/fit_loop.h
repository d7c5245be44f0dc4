/*
 * fit_loop.h - mini-batch descent on a few numbers with early stopping.
 *
 * Knows no model: the caller's callbacks give losses and gradients.  Epochs are shuffles of the
 * training samples (a pure function of stream and epoch); the last, smaller batch is kept.  After
 * each epoch the validation loss decides: the best weights are kept, and `patience` epochs without
 * improvement end the fit: consecutive ones, or, as the published code counts, in all (cumulative).
 * The first epoch always counts as an improvement; patience 0 never ends a fit.  An end is between
 * epochs, so a state saved by the `epoch` callback continues with the same bits.  0 epochs keep the
 * initial weights: their validation loss is told, and the training loss is NAN.
 *
 * With L-BFGS an epoch is one of its steps, on all samples in their order, in batches whose losses
 * and gradients are summed; a step that lowers the training loss by less than 1e-9 of it ends the
 * fit.
 */
#ifndef OPTIM_FIT_LOOP_H
#define OPTIM_FIT_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rng.h"
#include "optim/adam.h"
#include "optim/lbfgs.h"
#include "optim/schedule.h"

enum fit_rule { FIT_CONSECUTIVE, FIT_CUMULATIVE };
enum fit_end { FIT_RUNNING, FIT_PATIENCE, FIT_EPOCHS, FIT_STOPPED, FIT_CONVERGED };
enum fit_optimiser { FIT_ADAM, FIT_LBFGS };

struct fit_loop_options {
    enum fit_optimiser optimiser;
    struct adam adam; /* this and the next two: of Adam only */
    struct schedule schedule;
    double l1;      /* penalty on the sum of |w|, which no loss contains; 0: none */
    size_t weights; /* how many numbers are learned */
    size_t samples; /* training samples */
    size_t batch;
    int64_t epochs, patience;
    enum fit_rule rule;
    struct rng shuffles;
};

/* Everything a fit needs to continue: plain numbers and three arrays. */
struct fit_loop_state {
    int64_t epoch; /* epochs done */
    int64_t steps; /* updates done */
    int64_t best_epoch;
    int64_t bad_epochs; /* as the rule counts */
    int64_t pairs;      /* of L-BFGS */
    bool converged;
    double best_loss, train_loss, validation_loss;
    float *w, *best; /* [weights] now and at best; the caller's storage, as */
    float *memory;   /* [fit_loop_memory()] what the optimiser remembers */
};

struct fit_loop_callbacks {
    void *context;
    /* Mean loss over the batch (sample numbers) and its gradient, overwritten. */
    enum err_code (*gradient)(void *context, double *loss, float *gradient, const float *w,
                              const uint32_t *batch, size_t n, struct err *err);
    /* Loss that selects and stops. */
    enum err_code (*validate)(void *context, double *loss, const float *w, struct err *err);
    /* After each epoch: report, checkpoint; may be NULL. ERR_STOPPED ends the fit and is returned.
     */
    enum err_code (*epoch)(void *context, const struct fit_loop_state *state, struct err *err);
};

/* Floats of state->memory: Adam's moments m and v, or all of L-BFGS. */
size_t fit_loop_memory(const struct fit_loop_options *o);

/* Starts from *state (epoch 0 and w set: a new fit, whose memory is cleared; otherwise a
 * continued one) and runs to the end. A state that had ended returns at once. scratch_g [weights],
 * scratch_order [samples]. On ERR_OK state->best holds the result and *end why it stopped. A loss
 * that is not finite is ERR_NUMERIC with epoch and step. */
enum err_code fit_loop_run(struct fit_loop_state *state, enum fit_end *end,
                           const struct fit_loop_options *o, const struct fit_loop_callbacks *calls,
                           float *scratch_g, uint32_t *scratch_order, struct err *err);

#endif
