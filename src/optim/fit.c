#include "optim/fit.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* What one fit_run() works with, so that its parts take one argument. */
struct fit {
    struct fit_state *state;
    const struct fit_options *o;
    const struct fit_callbacks *calls;
    float *g;
    uint32_t *order;
};

static void start(struct fit_state *s, size_t weights) {
    memset(s->m, 0, weights * sizeof *s->m);
    memset(s->v, 0, weights * sizeof *s->v);
    memcpy(s->best, s->w, weights * sizeof *s->best);
    s->best_loss = HUGE_VAL;
    s->best_epoch = s->bad_epochs = 0;
}

static enum err_code one_step(const struct fit *f, double *loss, const uint32_t *batch, size_t n,
                              struct err *err) {
    enum err_code rc = ERR_OK;
    struct fit_state *s = f->state;
    TRY(f->calls->gradient(f->calls->context, loss, f->g, s->w, batch, n, err));
    CHECK(isfinite(*loss), ERR_NUMERIC,
          "epoch %lld, step %lld: the training loss is %g (try a smaller learning rate)",
          (long long)(s->epoch + 1), (long long)(s->steps + 1), *loss);
    s->steps++;
    adam_step(s->w, s->m, s->v, f->g, f->o->weights, &f->o->adam,
              (float)schedule_lr(&f->o->schedule, s->steps), s->steps);
cleanup:
    return rc;
}

/* Every sample once, in the order that stream and epoch name; the mean loss before each step. */
static enum err_code one_epoch(const struct fit *f, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t samples = f->o->samples;
    double sum = 0;
    rng_permutation(f->order, (uint32_t)samples, &f->o->shuffles, (uint64_t)f->state->epoch, 0);
    for (size_t first = 0; first < samples; first += f->o->batch) {
        const size_t left = samples - first, n = left < f->o->batch ? left : f->o->batch;
        double loss = (double)NAN;
        TRY(one_step(f, &loss, f->order + first, n, err));
        sum += loss * (double)n;
    }
    f->state->train_loss = sum / (double)samples;
cleanup:
    return rc;
}

static enum err_code validate(const struct fit *f, double *loss, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct fit_state *s = f->state;
    *loss = (double)NAN;
    TRY(f->calls->validate(f->calls->context, loss, s->w, err));
    CHECK(isfinite(*loss), ERR_NUMERIC,
          "epoch %lld, after step %lld: the validation loss is %g (try a smaller learning rate)",
          (long long)(s->epoch + 1), (long long)s->steps, *loss);
cleanup:
    return rc;
}

/* Nothing is to be learned: how good the initial weights are. */
static enum err_code judge_start(const struct fit *f, struct err *err) {
    struct fit_state *s = f->state;
    const enum err_code rc = validate(f, &s->validation_loss, err);
    s->best_loss = s->validation_loss;
    s->train_loss = (double)NAN;
    return rc;
}

static enum err_code judge(const struct fit *f, struct err *err) {
    enum err_code rc = ERR_OK;
    struct fit_state *s = f->state;
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

static enum fit_end end_of(const struct fit_state *s, const struct fit_options *o) {
    if (o->patience > 0 && s->bad_epochs >= o->patience) return FIT_PATIENCE;
    return s->epoch >= o->epochs ? FIT_EPOCHS : FIT_RUNNING;
}

enum err_code fit_run(struct fit_state *state, enum fit_end *end, const struct fit_options *o,
                      const struct fit_callbacks *calls, float *scratch_g, uint32_t *scratch_order,
                      struct err *err) {
    enum err_code rc = ERR_OK;
    const struct fit f = {state, o, calls, scratch_g, scratch_order};
    assert(o->samples > 0 && o->samples <= UINT32_MAX && o->batch > 0);
    *end = FIT_RUNNING;
    if (state->epoch == 0) state->steps = 0, start(state, o->weights);
    if (o->epochs == 0) TRY(judge_start(&f, err));
    while ((*end = end_of(state, o)) == FIT_RUNNING) {
        TRY(one_epoch(&f, err));
        TRY(judge(&f, err));
        if (calls->epoch) TRY(calls->epoch(calls->context, state, err));
    }
cleanup:
    if (rc == ERR_STOPPED) *end = FIT_STOPPED;
    return rc;
}
