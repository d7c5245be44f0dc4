#include "run/verify/verify_fit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "optim/fit_loop.h"
#include "passes/fit_data.h"

enum { STEPS = 5 }; /* of path and of descent */

struct case_fit { /* the prompts of a case as fit_data holds them */
    struct verify_case *t;
    struct fit_data *data;
    uint32_t *rows; /* [N] all of them */
};

static enum err_code read_lengths(struct fit_data_options *o, const struct verify_case *t,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    struct fixture_array lengths = {0};
    char name[128];
    if (!verify_case_has(t, "lengths")) return ERR_OK;
    (void)snprintf(name, sizeof name, "methods/%s/lengths", t->c->group);
    TRY(fixture_integers(&lengths, t->file, name, 1, err));
    CHECK(lengths.n <= FIT_LENGTHS, ERR_DATA, "%s: %s: %zu lengths, at most %d",
          fixture_path(t->file), name, lengths.n, FIT_LENGTHS);
    o->n_lengths = lengths.n;
    for (size_t i = 0; i < lengths.n; i++) {
        const int64_t points = lengths.integers[i];
        CHECK(points >= 1 && (size_t)points <= t->prompts.points, ERR_DATA,
              "%s: %s: %lld points in prompts of %zu", fixture_path(t->file), name,
              (long long)points, t->prompts.points);
        o->lengths[i] = (size_t)points;
    }
cleanup:
    fixture_array_release(&lengths);
    return rc;
}

static void case_fit_end(struct case_fit *x) {
    fit_data_destroy(x->data);
    free(x->rows);
    *x = (struct case_fit){0};
}

/* mean: one basis for all prompts. */
static enum err_code case_fit_begin(struct case_fit *x, struct verify_case *t, bool mean,
                                    struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t N = t->prompts.n;
    struct fit_data_options o = {.setup = &t->setup,
                                 .prompts = t->prompts,
                                 .basis_points = t->T0,
                                 .mean = mean,
                                 .averaged = N,
                                 .batch = N,
                                 .shards = 1,
                                 .memory = SIZE_MAX,
                                 .loss = {.kind = LOSS_HUBER, .delta = 1}};
    *x = (struct case_fit){.t = t};
    TRY(read_lengths(&o, t, err));
    x->rows = calloc(N, sizeof *x->rows);
    CHECK(x->rows, ERR_MEMORY, "no memory for %zu rows", N);
    for (size_t i = 0; i < N; i++) x->rows[i] = (uint32_t)i;
    TRY(fit_data_create(&x->data, &o, NULL, err));
cleanup:
    if (rc != ERR_OK) case_fit_end(x);
    return rc;
}

/* Mean loss over all prompts and its gradient, overwritten. */
static double loss_at(float *gradient, const struct case_fit *x, const float *w) {
    const size_t N = x->t->prompts.n;
    double loss;
    fit_data_pass(&loss, gradient, x->data, w, x->rows, N, 1 / (double)N);
    return loss;
}

/* The datasets `loss` and `gradient`, for every choice. */
static enum err_code compare_slope(struct verify_case *t, const char *loss, const char *gradient,
                                   bool mean, struct err *err) {
    enum err_code rc = ERR_OK;
    struct case_fit x = {0};
    float *slope = calloc(t->choices * t->weights, sizeof *slope);
    float *losses = calloc(t->choices, sizeof *losses);
    CHECK(slope && losses, ERR_MEMORY, "no memory for %zu weights", t->weights);
    TRY(case_fit_begin(&x, t, mean, err));
    for (t->setup.choice = 0; t->setup.choice < t->choices; t->setup.choice++)
        losses[t->setup.choice] = (float)loss_at(slope + t->setup.choice * t->weights, &x, t->w);
    TRY(verify_case_compare(t, loss, losses, t->choices, TOLERANCE_METHOD, err));
    TRY(verify_case_compare(t, gradient, slope, t->choices * t->weights, TOLERANCE_METHOD_GRADIENT,
                            err));
cleanup:
    t->setup.choice = 0;
    case_fit_end(&x);
    free(losses);
    free(slope);
    return rc;
}

/* ---- steps of an optimiser */

static enum err_code case_fit_gradient(void *context, double *loss, float *gradient, const float *w,
                                       const uint32_t *batch, size_t n, struct err *err) {
    (void)batch, (void)n, (void)err;
    *loss = loss_at(gradient, context, w);
    return ERR_OK;
}

static enum err_code case_fit_validate(void *context, double *loss, const float *w,
                                       struct err *err) {
    (void)err;
    *loss = loss_at(NULL, context, w);
    return ERR_OK;
}

/* found [weights]: after o->epochs epochs of all prompts at once, from the case's weights. */
static enum err_code learn(float *found, const struct case_fit *x, const struct fit_loop_options *o,
                           struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = o->weights, N = x->t->prompts.n;
    struct case_fit trial = *x;
    const struct fit_loop_callbacks calls = {&trial, case_fit_gradient, case_fit_validate, NULL};
    struct fit_loop_state s = {0};
    enum fit_end end;
    uint32_t *order = calloc(N, sizeof *order);
    float *memory = calloc(3 * n + fit_loop_memory(o), sizeof *memory);
    CHECK(order && memory, ERR_MEMORY, "no memory to learn %zu weights", n);
    s.w = memory;
    s.best = memory + n;
    s.memory = memory + 3 * n;
    memcpy(s.w, x->t->w, n * sizeof *s.w);
    TRY(fit_loop_run(&s, &end, o, &calls, memory + 2 * n, order, err));
    memcpy(found, s.w, n * sizeof *found);
cleanup:
    free(memory);
    free(order);
    return rc;
}

/* The dataset WHAT [steps, weights]: the weights after each step. */
static enum err_code compare_steps(const char *what, const struct case_fit *x,
                                   struct fit_loop_options *o, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = x->t->weights, N = x->t->prompts.n;
    float *steps = calloc(STEPS * n, sizeof *steps);
    CHECK(steps, ERR_MEMORY, "no memory for %d steps", STEPS);
    o->weights = n;
    o->samples = o->batch = N;
    for (o->epochs = 1; o->epochs <= STEPS; o->epochs++)
        TRY(learn(steps + (size_t)(o->epochs - 1) * n, x, o, err));
    TRY(verify_case_compare(x->t, what, steps, STEPS * n, TOLERANCE_METHOD, err));
cleanup:
    free(steps);
    return rc;
}

static enum err_code compare_path(const struct case_fit *x, struct err *err) {
    enum err_code rc = ERR_OK;
    struct fixture_array l1 = {0};
    struct fit_loop_options o = {.optimiser = FIT_ADAM,
                                 .adam = {0.9F, 0.999F, 1e-8F},
                                 .schedule = {.kind = SCHEDULE_CONSTANT, .lr = 0.05}};
    TRY(verify_case_read(&l1, x->t, "l1", 1, err));
    o.l1 = (double)l1.floats[0];
    TRY(compare_steps("path", x, &o, err));
cleanup:
    fixture_array_release(&l1);
    return rc;
}

static enum err_code compare_descent(const struct case_fit *x, struct err *err) {
    struct fit_loop_options o = {.optimiser = FIT_LBFGS};
    return compare_steps("descent", x, &o, err);
}

static enum err_code compare_fits(struct verify_case *t, struct err *err) {
    enum err_code rc = ERR_OK;
    struct case_fit x;
    TRY(case_fit_begin(&x, t, false, err));
    if (verify_case_has(t, "path")) TRY(compare_path(&x, err));
    if (verify_case_has(t, "descent")) TRY(compare_descent(&x, err));
cleanup:
    case_fit_end(&x);
    return rc;
}

enum err_code verify_fit(struct verify_case *t, struct err *err) {
    enum err_code rc = ERR_OK;
    const bool learned = verify_case_has(t, "loss") || verify_case_has(t, "mean_loss") ||
                         verify_case_has(t, "path") || verify_case_has(t, "descent");
    CHECK(!learned || method_learns(t->setup.method), ERR_DATA,
          "%s: methods/%s has a loss, but %s is not learned from a loss: remove the dataset",
          fixture_path(t->file), t->c->group, t->setup.method->name);
    if (verify_case_has(t, "loss")) TRY(compare_slope(t, "loss", "gradient", false, err));
    if (verify_case_has(t, "mean_loss"))
        TRY(compare_slope(t, "mean_loss", "mean_gradient", true, err));
    if (verify_case_has(t, "path") || verify_case_has(t, "descent")) TRY(compare_fits(t, err));
cleanup:
    return rc;
}
