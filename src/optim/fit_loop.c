#include "optim/fit_loop.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "ops/vector_ops.h"

static const double CONVERGED = 1e-9; /* least relative decrease of the training loss by a step */

/* The arguments of fit_loop_run(), which its parts share. */
struct fit {
    struct fit_loop_state *state;
    const struct fit_loop_options *o;
    const struct fit_loop_callbacks *calls;
    float *g;
    uint32_t *order;
};

size_t fit_loop_memory(const struct fit_loop_options *o) {
    return o->optimiser == FIT_LBFGS ? lbfgs_floats(o->weights) : 2 * o->weights;
}

static void start_fit(struct fit_loop_state *s, const struct fit_loop_options *o) {
    memset(s->memory, 0, fit_loop_memory(o) * sizeof *s->memory);
    memcpy(s->best, s->w, o->weights * sizeof *s->best);
    s->best_loss = HUGE_VAL;
    s->steps = s->best_epoch = s->bad_epochs = s->pairs = 0;
    s->converged = false;
}

static void update_weights(const struct fit *f) {
    struct fit_loop_state *s = f->state;
    const size_t n = f->o->weights;
    float *m = s->memory, *v = m + n;
    const float lr = (float)schedule_lr(&f->o->schedule, s->steps);
    adam_step(s->w, m, v, f->g, n, &f->o->adam, lr, s->steps);
    if (f->o->l1 > 0) adam_shrink(s->w, v, n, &f->o->adam, lr, s->steps, (float)f->o->l1);
}

/* What to do about a loss that is not finite. */
static const char *remedy(const struct fit_loop_options *o) {
    return o->optimiser == FIT_ADAM && o->adam.epsilon == 0 ? ADAM_WITHOUT_EPSILON
                                                            : "try a smaller learning rate";
}

static enum err_code one_step(const struct fit *f, double *loss, const uint32_t *batch, size_t n,
                              struct err *err) {
    enum err_code rc = ERR_OK;
    struct fit_loop_state *s = f->state;
    TRY(f->calls->gradient(f->calls->context, loss, f->g, s->w, batch, n, err));
    CHECK(isfinite(*loss), ERR_NUMERIC, "epoch %lld, step %lld: the training loss is %g (%s)",
          (long long)(s->epoch + 1), (long long)(s->steps + 1), text_nan(*loss), remedy(f->o));
    s->steps++;
    update_weights(f);
cleanup:
    return rc;
}

/* Updates of a pass over all samples. */
static int64_t updates_of_pass(const struct fit_loop_options *o) {
    return (int64_t)((o->samples + o->batch - 1) / o->batch);
}

int64_t fit_loop_updates(const struct fit_loop_options *o) {
    return o->every > 0 ? o->every : updates_of_pass(o);
}

/* Samples in the order given by stream and pass. train_loss is the mean of the losses before each
 * step. */
static enum err_code one_epoch(const struct fit *f, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t samples = f->o->samples, batch = f->o->batch;
    const int64_t each = updates_of_pass(f->o);
    double sum = 0, seen = 0;
    for (int64_t i = 0; i < fit_loop_updates(f->o); i++) {
        const int64_t at = f->state->steps % each;
        const size_t first = (size_t)at * batch, left = samples - first,
                     n = left < batch ? left : batch;
        double loss = (double)NAN;
        if (i == 0 || at == 0)
            rng_permutation(f->order, (uint32_t)samples, &f->o->shuffles,
                            (uint64_t)(f->state->steps / each), 0);
        TRY(one_step(f, &loss, f->order + first, n, err));
        sum += loss * (double)n;
        seen += (double)n;
    }
    f->state->train_loss = sum / seen;
cleanup:
    return rc;
}

/* ---- L-BFGS */

/* Mean loss of all samples and its gradient. */
static enum err_code loss_of_all(void *context, double *loss, float *gradient, const float *w,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    const struct fit *f = context;
    const size_t samples = f->o->samples;
    *loss = 0;
    memset(gradient, 0, f->o->weights * sizeof *gradient);
    for (size_t i = 0; i < samples; i++) f->order[i] = (uint32_t)i;
    for (size_t first = 0; first < samples; first += f->o->batch) {
        const size_t left = samples - first, n = left < f->o->batch ? left : f->o->batch;
        const double share = (double)n / (double)samples;
        double part = (double)NAN;
        TRY(f->calls->gradient(f->calls->context, &part, f->g, w, f->order + first, n, err));
        *loss += share * part;
        vector_axpy(gradient, (float)share, f->g, f->o->weights);
    }
cleanup:
    return rc;
}

static enum err_code one_descent(struct fit *f, struct err *err) {
    enum err_code rc = ERR_OK;
    struct fit_loop_state *s = f->state;
    struct lbfgs b = {.pairs = s->pairs, .loss = s->train_loss};
    const struct lbfgs_function all = {loss_of_all, f};
    bool moved;
    lbfgs_lay_out(&b, s->memory, f->o->weights);
    if (s->epoch == 0) TRY(lbfgs_begin(&b, &all, s->w, err));
    const double before = b.loss;
    CHECK(isfinite(before), ERR_NUMERIC, "the training loss of the initial weights is %g",
          text_nan(before));
    TRY(lbfgs_step(s->w, &moved, &b, &all, err));
    s->steps++;
    s->pairs = b.pairs;
    s->train_loss = b.loss;
    s->converged = !(before - b.loss > CONVERGED * fabs(before));
cleanup:
    return rc;
}

/* ---- validation */

static enum err_code validate(const struct fit *f, double *loss, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct fit_loop_state *s = f->state;
    *loss = (double)NAN;
    TRY(f->calls->validate(f->calls->context, loss, s->w, err));
    CHECK(isfinite(*loss), ERR_NUMERIC,
          "epoch %lld, after step %lld: the validation loss is %g (%s)", (long long)(s->epoch + 1),
          (long long)s->steps, text_nan(*loss), remedy(f->o));
cleanup:
    return rc;
}

/* With 0 epochs: the validation loss of the initial weights. */
static enum err_code validate_start(const struct fit *f, struct err *err) {
    struct fit_loop_state *s = f->state;
    const enum err_code rc = validate(f, &s->validation_loss, err);
    s->best_loss = s->validation_loss;
    s->train_loss = (double)NAN;
    return rc;
}

static enum err_code end_epoch(const struct fit *f, struct err *err) {
    enum err_code rc = ERR_OK;
    struct fit_loop_state *s = f->state;
    double loss;
    TRY(validate(f, &loss, err));
    s->validation_loss = loss;
    s->epoch++;
    if (loss < s->best_loss) {
        s->best_loss = loss;
        s->best_epoch = s->epoch;
        memcpy(s->best, s->w, f->o->weights * sizeof *s->best);
        if (f->o->rule == FIT_CONSECUTIVE) s->bad_epochs = 0;
    } else {
        s->bad_epochs++;
    }
cleanup:
    return rc;
}

static enum fit_end end_of(const struct fit_loop_state *s, const struct fit_loop_options *o) {
    if (s->converged) return FIT_CONVERGED;
    if (o->patience > 0 && s->bad_epochs >= o->patience) return FIT_PATIENCE;
    return s->epoch >= o->epochs ? FIT_EPOCHS : FIT_RUNNING;
}

enum err_code fit_loop_run(struct fit_loop_state *state, enum fit_end *end,
                           const struct fit_loop_options *o, const struct fit_loop_callbacks *calls,
                           float *scratch_g, uint32_t *scratch_order, struct err *err) {
    enum err_code rc = ERR_OK;
    struct fit f = {state, o, calls, scratch_g, scratch_order};
    assert(o->samples > 0 && o->samples <= UINT32_MAX && o->batch > 0);
    assert(o->l1 <= 0 || o->optimiser == FIT_ADAM);
    *end = FIT_RUNNING;
    if (state->epoch == 0) start_fit(state, o);
    if (o->epochs == 0) TRY(validate_start(&f, err));
    while ((*end = end_of(state, o)) == FIT_RUNNING) {
        TRY(o->optimiser == FIT_LBFGS ? one_descent(&f, err) : one_epoch(&f, err));
        TRY(end_epoch(&f, err));
        if (calls->epoch) TRY(calls->epoch(calls->context, state, err));
    }
cleanup:
    if (rc == ERR_STOPPED) *end = FIT_STOPPED;
    return rc;
}
