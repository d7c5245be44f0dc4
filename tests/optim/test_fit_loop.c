/* The fit loop on known losses: a quadratic, and listed validation losses. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "optim/fit_loop.h"
#include "twins/error_says.h"

enum { WEIGHTS = 3, SAMPLES = 23, BATCH = 5, EPOCHS_MAX = 64, MEMORY = 24 * WEIGHTS };

struct problem {              /* loss_i(w) = sum (w - target_i)^2 / 2 */
    const double *validation; /* listed losses, or NULL: the true one */
    int64_t nan_step, stop_epoch;
    int64_t calls, epochs;
    uint32_t seen[SAMPLES]; /* in this epoch */
    uint32_t order[EPOCHS_MAX][SAMPLES];
    size_t n_seen, smallest;
};

static double target(uint32_t sample, size_t i) {
    return (double)i + ((double)sample - (SAMPLES - 1) / 2.0) / SAMPLES;
}

static enum err_code gradient(void *context, double *loss, float *g, const float *w,
                              const uint32_t *batch, size_t n, struct err *err) {
    struct problem *p = context;
    (void)err;
    *loss = 0;
    for (size_t i = 0; i < WEIGHTS; i++) {
        double sum = 0;
        for (size_t b = 0; b < n; b++) {
            const double e = (double)w[i] - target(batch[b], i);
            sum += e;
            *loss += e * e / 2 / (double)n;
        }
        g[i] = (float)(sum / (double)n);
    }
    for (size_t b = 0; b < n; b++) {
        p->order[p->epochs][p->n_seen++] = batch[b];
        p->seen[batch[b]]++;
    }
    if (n < p->smallest) p->smallest = n;
    if (++p->calls == p->nan_step) *loss = (double)NAN;
    return ERR_OK;
}

static enum err_code validate(void *context, double *loss, const float *w, struct err *err) {
    struct problem *p = context;
    (void)err;
    if (p->validation) {
        *loss = p->validation[p->epochs];
        return ERR_OK;
    }
    *loss = 0;
    for (size_t i = 0; i < WEIGHTS; i++) *loss += pow((double)w[i] - (double)i, 2);
    return ERR_OK;
}

static enum err_code after_epoch(void *context, const struct fit_loop_state *s, struct err *err) {
    struct problem *p = context;
    assert_int_equal(p->n_seen, SAMPLES);
    for (size_t i = 0; i < SAMPLES; i++) assert_int_equal(p->seen[i], 1);
    memset(p->seen, 0, sizeof p->seen);
    p->n_seen = 0;
    p->epochs++;
    if (s->epoch == p->stop_epoch) return ERR(err, ERR_STOPPED, "asked to stop");
    return ERR_OK;
}

struct storage {
    float w[WEIGHTS], memory[MEMORY], best[WEIGHTS], g[WEIGHTS];
    uint32_t order[SAMPLES];
    struct fit_loop_state state;
};

static void storage_begin(struct storage *s) {
    memset(s, 0x7f, sizeof *s); /* nothing may depend on earlier contents */
    memset(s->w, 0, sizeof s->w);
    s->state = (struct fit_loop_state){.w = s->w, .memory = s->memory, .best = s->best};
}

static struct fit_loop_options options(int64_t epochs, int64_t patience, enum fit_rule rule) {
    return (struct fit_loop_options){.adam = {0.9f, 0.999f, 1e-8f},
                                     .schedule = {SCHEDULE_COSINE, 0.1, 3, 400, 0.1},
                                     .weights = WEIGHTS,
                                     .samples = SAMPLES,
                                     .batch = BATCH,
                                     .epochs = epochs,
                                     .patience = patience,
                                     .rule = rule,
                                     .shuffles = rng_stream(7, "test/shuffles")};
}

static enum err_code run(struct storage *s, struct problem *p, enum fit_end *end,
                         const struct fit_loop_options *o, struct err *err) {
    const struct fit_loop_callbacks calls = {p, gradient, validate, after_epoch};
    return fit_loop_run(&s->state, end, o, &calls, s->g, s->order, err);
}

static void finds_the_minimum(void **state) {
    (void)state;
    struct err err;
    struct storage s;
    struct problem p = {.smallest = SIZE_MAX};
    enum fit_end end;
    const struct fit_loop_options o = options(60, 0, FIT_CONSECUTIVE);
    storage_begin(&s);
    SUCCEEDS(run(&s, &p, &end, &o, &err));
    assert_int_equal(end, FIT_EPOCHS);
    assert_int_equal(s.state.epoch, 60);
    assert_int_equal(s.state.steps, 60 * 5); /* 23 samples are 5 batches, the last of 3 */
    assert_int_equal(p.smallest, 3);
    assert_true(s.state.best_loss < 1e-2);
    for (size_t i = 0; i < WEIGHTS; i++) assert_true(fabs((double)s.best[i] - (double)i) < 0.1);
}

static void shuffles_differ_and_are_functions_of_the_epoch(void **state) {
    (void)state;
    struct err err;
    struct storage s;
    struct problem a = {0}, b = {0};
    enum fit_end end;
    const struct fit_loop_options o = options(3, 0, FIT_CONSECUTIVE);
    storage_begin(&s);
    SUCCEEDS(run(&s, &a, &end, &o, &err));
    storage_begin(&s);
    SUCCEEDS(run(&s, &b, &end, &o, &err));
    assert_memory_equal(a.order, b.order, sizeof a.order);
    assert_memory_not_equal(a.order[0], a.order[1], sizeof a.order[0]);
    assert_memory_not_equal(a.order[1], a.order[2], sizeof a.order[0]);
}

/* p->epochs counts passes over the samples. */
static enum err_code gradient_of_pass(void *context, double *loss, float *g, const float *w,
                                      const uint32_t *batch, size_t n, struct err *err) {
    struct problem *p = context;
    const enum err_code rc = gradient(context, loss, g, w, batch, n, err);
    if (p->n_seen == SAMPLES) p->n_seen = 0, p->epochs++;
    return rc;
}

static void validations_after_some_updates_change_no_update(void **state) {
    (void)state;
    struct err err;
    struct storage s[2];
    struct problem p[2] = {{.validation = NULL}, {.validation = NULL}};
    for (size_t i = 0; i < 2; i++) {
        const struct fit_loop_callbacks calls = {&p[i], gradient_of_pass, validate, NULL};
        struct fit_loop_options o = options(i == 0 ? 6 : 10, 0, FIT_CONSECUTIVE);
        enum fit_end end;
        o.every = i == 0 ? 0 : 3; /* 6 passes of 5 updates each */
        assert_int_equal(fit_loop_updates(&o), i == 0 ? 5 : 3);
        storage_begin(&s[i]);
        SUCCEEDS(fit_loop_run(&s[i].state, &end, &o, &calls, s[i].g, s[i].order, &err));
        assert_int_equal(s[i].state.epoch, o.epochs);
        assert_int_equal(s[i].state.steps, 30);
        assert_int_equal(p[i].epochs, 6);
    }
    assert_memory_equal(p[0].order, p[1].order, sizeof p[0].order);
    assert_memory_equal(s[0].w, s[1].w, sizeof s[0].w);
}

static void zero_epochs_validate_the_initial_weights(void **state) {
    (void)state;
    struct err err;
    struct storage s;
    struct problem p = {0};
    enum fit_end end;
    const struct fit_loop_options o = options(0, 2, FIT_CONSECUTIVE);
    storage_begin(&s);
    SUCCEEDS(run(&s, &p, &end, &o, &err));
    double loss;
    SUCCEEDS(validate(&p, &loss, s.state.w, &err));
    assert_int_equal(end, FIT_EPOCHS);
    assert_int_equal(p.calls, 0);
    assert_int_equal(s.state.epoch, 0);
    assert_memory_equal(s.state.w, s.state.best, WEIGHTS * sizeof *s.state.w);
    assert_true(s.state.best_loss == loss && isnan(s.state.train_loss));
}

struct course {
    enum fit_rule rule;
    int64_t patience, epochs;
    double losses[12];
    enum fit_end end;
    int64_t last, best, bad; /* epochs */
};

static void patience_counts_as_its_rule_says(void **state) {
    (void)state;
    static const struct course courses[] = {
        {FIT_CONSECUTIVE, 2, 12, {5, 6, 4, 4, 3, 7, 8, 1}, FIT_PATIENCE, 7, 5, 2},
        {FIT_CUMULATIVE, 2, 12, {5, 6, 4, 4, 3, 7, 8, 1}, FIT_PATIENCE, 4, 3, 2},
        {FIT_CUMULATIVE, 3, 12, {5, 6, 4, 4, 3, 7, 8, 1}, FIT_PATIENCE, 6, 5, 3},
        {FIT_CONSECUTIVE, 1, 12, {1, 1, 0}, FIT_PATIENCE, 2, 1, 1}, /* an equal loss is no
                                                                       improvement */
        {FIT_CUMULATIVE, 7, 4, {9, 8, 7, 6, 5}, FIT_EPOCHS, 4, 4, 0},
        {FIT_CONSECUTIVE, 0, 5, {1, 2, 3, 4, 5}, FIT_EPOCHS, 5, 1, 4},
    };
    for (size_t c = 0; c < sizeof courses / sizeof *courses; c++) {
        const struct course *k = &courses[c];
        struct err err;
        struct storage s;
        struct problem p = {.validation = k->losses};
        enum fit_end end;
        const struct fit_loop_options o = options(k->epochs, k->patience, k->rule);
        storage_begin(&s);
        SUCCEEDS(run(&s, &p, &end, &o, &err));
        if (end != k->end || s.state.epoch != k->last || s.state.best_epoch != k->best ||
            s.state.bad_epochs != k->bad)
            fail_msg("course %zu: end %d, epoch %d, best %d, bad %d", c, (int)end,
                     (int)s.state.epoch, (int)s.state.best_epoch, (int)s.state.bad_epochs);
        assert_true(s.state.best_loss == k->losses[k->best - 1]);
        SUCCEEDS(run(&s, &p, &end, &o, &err)); /* a fit that has ended does not continue */
        assert_int_equal(end, k->end);
        assert_int_equal(s.state.epoch, k->last);
    }
}

static void best_weights_are_those_of_the_best_epoch(void **state) {
    (void)state;
    static const double losses[] = {3, 2, 5, 6, 7};
    struct err err;
    struct storage s, until_best;
    struct problem p = {.validation = losses}, q = {.validation = losses};
    enum fit_end end;
    const struct fit_loop_options o = options(5, 0, FIT_CONSECUTIVE);
    const struct fit_loop_options two = options(2, 0, FIT_CONSECUTIVE);
    storage_begin(&s), storage_begin(&until_best);
    SUCCEEDS(run(&s, &p, &end, &o, &err));
    SUCCEEDS(run(&until_best, &q, &end, &two, &err));
    assert_memory_equal(s.best, until_best.w, sizeof s.best);
    assert_memory_not_equal(s.best, s.w, sizeof s.best);
}

static void a_stopped_fit_resumes_with_the_same_bits(void **state) {
    (void)state;
    struct err err;
    struct storage whole, parts;
    struct problem p = {0}, q = {.stop_epoch = 3};
    enum fit_end end;
    const struct fit_loop_options o = options(9, 0, FIT_CONSECUTIVE);
    storage_begin(&whole), storage_begin(&parts);
    SUCCEEDS(run(&whole, &p, &end, &o, &err));
    ERROR_SAYS(run(&parts, &q, &end, &o, &err), ERR_STOPPED, "asked to stop");
    assert_int_equal(end, FIT_STOPPED);
    assert_int_equal(parts.state.epoch, 3);
    struct storage moved = parts; /* copies numbers and arrays, as a checkpoint does */
    moved.state.w = moved.w, moved.state.memory = moved.memory, moved.state.best = moved.best;
    memset(&parts, 0, sizeof parts);
    memset(moved.g, 0x7f, sizeof moved.g);
    SUCCEEDS(run(&moved, &q, &end, &o, &err));
    assert_memory_equal(whole.w, moved.w, sizeof whole.w);
    assert_memory_equal(whole.memory, moved.memory, 2 * sizeof whole.w);
    assert_memory_equal(whole.best, moved.best, sizeof whole.best);
    assert_true(whole.state.train_loss == moved.state.train_loss);
    assert_true(whole.state.best_loss == moved.state.best_loss);
    assert_int_equal(whole.state.steps, moved.state.steps);
    assert_memory_equal(p.order, q.order, sizeof p.order);
}

/* Minimum of the loss and the penalty: w_i = i - l1, or 0. */
static void a_penalty_makes_small_weights_0(void **state) {
    (void)state;
    static const double penalties[] = {0.5, 1.2, 3};
    for (size_t k = 0; k < 3; k++) {
        struct err err;
        struct storage s;
        struct problem p = {0};
        enum fit_end end;
        struct fit_loop_options o = options(60, 0, FIT_CONSECUTIVE);
        o.batch = SAMPLES; /* no noise */
        o.schedule = (struct schedule){.lr = 0.1};
        o.epochs = EPOCHS_MAX - 1;
        storage_begin(&s);
        for (size_t i = 0; i < WEIGHTS; i++) s.w[i] = 1;
        o.l1 = penalties[k];
        SUCCEEDS(run(&s, &p, &end, &o, &err));
        for (size_t i = 0; i < WEIGHTS; i++) {
            const double want = fmax((double)i - o.l1, 0), got = (double)s.w[i];
            if (want > 0 ? fabs(got - want) > 0.05 : got != 0)
                fail_msg("penalty %g: weight %zu is %g, not %g", o.l1, i, got, want);
        }
    }
}

/* ---- L-BFGS */

struct steep { /* loss_i(w) = sum of 10^j (w_j - target_ij)^2 / 2 */
    int64_t asked, most;
};

static enum err_code steep_gradient(void *context, double *loss, float *g, const float *w,
                                    const uint32_t *batch, size_t n, struct err *err) {
    struct steep *p = context;
    if (p->asked++ == p->most) return ERR(err, ERR_STOPPED, "asked to stop");
    *loss = 0;
    for (size_t i = 0; i < WEIGHTS; i++) {
        double sum = 0;
        for (size_t b = 0; b < n; b++) {
            const double e = (double)w[i] - target(batch[b], i), c = pow(10, (double)i);
            sum += c * e;
            *loss += c * e * e / 2 / (double)n;
        }
        g[i] = (float)(sum / (double)n);
    }
    return ERR_OK;
}

static enum err_code steep_validate(void *context, double *loss, const float *w, struct err *err) {
    (void)context, (void)err;
    *loss = 0;
    for (size_t i = 0; i < WEIGHTS; i++) *loss += pow((double)w[i] - (double)i, 2);
    return ERR_OK;
}

static enum err_code descend(struct storage *s, struct steep *p, enum fit_end *end,
                             const struct fit_loop_options *o, struct err *err) {
    const struct fit_loop_callbacks calls = {p, steep_gradient, steep_validate, NULL};
    return fit_loop_run(&s->state, end, o, &calls, s->g, s->order, err);
}

/* Also in batches of other sizes, down to the last digits. */
static void lbfgs_converges_by_itself(void **state) {
    (void)state;
    static const size_t batches[] = {BATCH, SAMPLES, 1};
    for (size_t k = 0; k < 3; k++) {
        struct err err;
        struct storage s;
        struct steep p = {.most = -1};
        enum fit_end end;
        struct fit_loop_options o = options(60, 0, FIT_CONSECUTIVE);
        o.optimiser = FIT_LBFGS;
        o.batch = batches[k];
        storage_begin(&s);
        SUCCEEDS(descend(&s, &p, &end, &o, &err));
        assert_int_equal(end, FIT_CONVERGED);
        assert_true(s.state.epoch == s.state.steps && s.state.epoch < 30);
        for (size_t i = 0; i < WEIGHTS; i++) assert_true(fabs((double)s.w[i] - (double)i) < 1e-3);
        const int64_t asked = p.asked;
        SUCCEEDS(descend(&s, &p, &end, &o, &err)); /* does not continue */
        assert_true(end == FIT_CONVERGED && p.asked == asked);
    }
}

/* After a stop in any step, the state before that step resumes with the same bits. */
static void a_stopped_lbfgs_fit_resumes_with_the_same_bits(void **state) {
    (void)state;
    struct err err;
    struct storage whole, part;
    struct steep p = {.most = -1};
    enum fit_end end;
    struct fit_loop_options o = options(60, 0, FIT_CONSECUTIVE), short_o;
    o.optimiser = FIT_LBFGS;
    storage_begin(&whole);
    SUCCEEDS(descend(&whole, &p, &end, &o, &err));
    for (int64_t stop = 1; stop < whole.state.epoch; stop++) {
        struct steep q = {.most = -1};
        storage_begin(&part);
        short_o = o;
        short_o.epochs = stop;
        SUCCEEDS(descend(&part, &q, &end, &short_o, &err));
        assert_int_equal(end, FIT_EPOCHS);
        struct storage moved = part;
        moved.state.w = moved.w, moved.state.memory = moved.memory, moved.state.best = moved.best;
        q.most = q.asked + 2;
        ERROR_SAYS(descend(&part, &q, &end, &o, &err), ERR_STOPPED, "asked to stop");
        q.most = -1;
        SUCCEEDS(descend(&moved, &q, &end, &o, &err));
        assert_memory_equal(whole.w, moved.w, sizeof whole.w);
        assert_true(whole.state.train_loss == moved.state.train_loss);
        assert_int_equal(whole.state.steps, moved.state.steps);
    }
}

static void a_loss_that_is_not_finite_is_an_error(void **state) {
    (void)state;
    static const double losses[] = {3, HUGE_VAL};
    struct err err;
    struct storage s;
    struct problem p = {.nan_step = 8}, q = {.validation = losses};
    enum fit_end end;
    const struct fit_loop_options o = options(9, 0, FIT_CONSECUTIVE);
    storage_begin(&s);
    ERROR_SAYS(run(&s, &p, &end, &o, &err), ERR_NUMERIC,
               "epoch 2, step 8: the training loss is nan");
    storage_begin(&s);
    ERROR_SAYS(run(&s, &q, &end, &o, &err), ERR_NUMERIC,
               "epoch 2, after step 10: the validation loss is inf");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_minimum),
        cmocka_unit_test(shuffles_differ_and_are_functions_of_the_epoch),
        cmocka_unit_test(validations_after_some_updates_change_no_update),
        cmocka_unit_test(zero_epochs_validate_the_initial_weights),
        cmocka_unit_test(patience_counts_as_its_rule_says),
        cmocka_unit_test(best_weights_are_those_of_the_best_epoch),
        cmocka_unit_test(a_stopped_fit_resumes_with_the_same_bits),
        cmocka_unit_test(a_penalty_makes_small_weights_0),
        cmocka_unit_test(lbfgs_converges_by_itself),
        cmocka_unit_test(a_stopped_lbfgs_fit_resumes_with_the_same_bits),
        cmocka_unit_test(a_loss_that_is_not_finite_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
