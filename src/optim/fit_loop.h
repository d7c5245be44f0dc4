/*
 * fit_loop.h - the epoch loop of a fit: mini-batch descent on a few weights, with early stopping.
 *
 * It is independent of the model: the caller's callbacks compute losses and gradients.  An epoch
 * goes through the training samples in a shuffled order, which is a pure function of stream and
 * epoch; a last, smaller batch is used too.  After each epoch the validation loss is compared with
 * the best so far. The best weights are stored, and `patience` epochs without improvement end the
 * fit: consecutive ones, or, as the published code counts, all of them together (cumulative).  The
 * first epoch always counts as an improvement; patience 0 never ends a fit.  A fit ends between
 * epochs only, so one that resumes from a state saved by the `epoch` callback gives the same bits.
 * With 0 epochs the result is the initial weights, with their validation loss and a training loss
 * of NAN.
 *
 * With L-BFGS an epoch is one step of it on all samples in their order; they are processed in
 * batches whose losses and gradients are summed.  A step that lowers the training loss by less than
 * 1e-9 of its value ends the fit.
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
    double l1;      /* weight of the penalty on the sum of |w|; not part of any loss; 0: none */
    size_t weights; /* number of learned weights */
    size_t samples; /* training samples */
    size_t batch;
    int64_t every; /* updates of an epoch of Adam, after which comes a validation; 0: all samples
                      once. They go on through the samples, which are reshuffled after each pass */
    int64_t epochs, patience;
    enum fit_rule rule;
    struct rng shuffles;
};

/* Everything that a fit needs to resume: plain numbers and three arrays. */
struct fit_loop_state {
    int64_t epoch; /* epochs done */
    int64_t steps; /* updates done */
    int64_t best_epoch;
    int64_t bad_epochs; /* as the rule counts */
    int64_t pairs;      /* L-BFGS: correction pairs made so far */
    bool converged;
    double best_loss, train_loss, validation_loss;
    float *w, *best; /* [weights] current and best; storage of the caller */
    float *memory;   /* [fit_loop_memory()] state of the optimiser; storage of the caller */
};

struct fit_loop_callbacks {
    void *context;
    /* Mean loss over the batch (sample numbers) and its gradient, overwritten. */
    enum err_code (*gradient)(void *context, double *loss, float *gradient, const float *w,
                              const uint32_t *batch, size_t n, struct err *err);
    /* The loss by which weights are selected and the fit is stopped. */
    enum err_code (*validate)(void *context, double *loss, const float *w, struct err *err);
    /* After each epoch, to report and to write checkpoints; may be NULL. ERR_STOPPED ends the fit
     * and is returned. */
    enum err_code (*epoch)(void *context, const struct fit_loop_state *state, struct err *err);
};

/* Floats of state->memory: the moments m and v of Adam, or the state of L-BFGS. */
size_t fit_loop_memory(const struct fit_loop_options *o);

/* Updates of one epoch of Adam. */
int64_t fit_loop_updates(const struct fit_loop_options *o);

/* Runs from *state to the end of the fit. Epoch 0 with w set is a new fit, whose other members are
 * initialised here; any other epoch resumes one. A state that has ended returns at once. scratch_g
 * [weights], scratch_order [samples]. On ERR_OK state->best holds the result and *end states why
 * the fit ended. A loss that is not finite is ERR_NUMERIC with epoch and step. */
enum err_code fit_loop_run(struct fit_loop_state *state, enum fit_end *end,
                           const struct fit_loop_options *o, const struct fit_loop_callbacks *calls,
                           float *scratch_g, uint32_t *scratch_order, struct err *err);

#endif
