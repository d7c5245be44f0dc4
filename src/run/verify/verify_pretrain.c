#include "run/verify/verify_pretrain.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/model_products.h"
#include "optim/adam.h"
#include "passes/train_step.h"
#include "run/verify/verify_model.h"

/* The key third of c_attn.bias has gradient 0 in exact arithmetic, since softmax cancels a shift of
 * all scores; only rounding errors would be compared. */
static bool is_key_bias(const struct param_info *info, size_t i) {
    const size_t third = info->shape[0] / 3;
    return text_ends_with(info->name, "attn.c_attn.bias") && i / third == 1;
}

static enum err_code compare_gradient(struct verify_report *r, const struct params *got,
                                      const struct params *want, struct err *err) {
    struct param_info ours, theirs;
    char name[160];
    for (size_t i = 0; i < params_tensors(&got->dims); i++) {
        params_at(&ours, got, i);
        params_at(&theirs, want, i);
        const size_t n = ours.shape[0] * (ours.rank == 2 ? ours.shape[1] : 1);
        for (size_t j = 0; j < n; j++)
            if (is_key_bias(&ours, j)) ours.data[j] = theirs.data[j] = 0;
        (void)snprintf(name, sizeof name, "core/grad/%s", ours.name);
        const enum err_code rc =
            verify_floats(r, "grad", name, ours.data, theirs.data, n, TOLERANCE_GRADIENT, err);
        if (rc != ERR_OK) return rc;
    }
    return ERR_OK;
}

enum err_code verify_loss_gradient(struct verify_report *r, const struct fixture *f,
                                   const struct params *p, const struct prompt_view *prompts,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    struct train_step step = {0};
    struct params gradient = {0}, want = {0};
    struct fixture_array loss = {0};
    double got = 0;
    TRY(train_step_create(&step, &p->dims, prompts->n, prompts->points, err));
    TRY(params_create(&gradient, &p->dims, err));
    TRY(params_create(&want, &p->dims, err));
    TRY(verify_read_params(&want, f, "core/grad", err));
    TRY(fixture_doubles(&loss, f, "core/mse_loss", 0, err));
    got = train_step_run(&gradient, &step, p, prompts, &(struct prompt_loss){.kind = LOSS_SQUARED},
                         1 / (double)(prompts->n * prompts->points));
    TRY(verify_error(r, "core", "core/mse_loss", fabs(got - loss.doubles[0]),
                     tolerance_bound(TOLERANCE_FORWARD, fabs(loss.doubles[0])), err));
    TRY(compare_gradient(r, &gradient, &want, err));
cleanup:
    fixture_array_release(&loss);
    params_destroy(&want);
    params_destroy(&gradient);
    train_step_destroy(&step);
    return rc;
}

/* Where a gradient is near zero, rounding decides the sign of Adam's first step: nearly all entries
 * must agree closely, and all of them roughly. */
static enum err_code compare_weights_after(struct verify_report *r, const struct params *got,
                                           const struct params *want, struct err *err) {
    enum err_code rc = ERR_OK;
    struct param_info ours, theirs;
    double most = 0;
    size_t compared = 0, far = 0;
    const double close = verify_bound(r, TOLERANCE_ADAM_CLOSE);
    for (size_t i = 0; i < params_tensors(&got->dims); i++) {
        params_at(&ours, got, i);
        params_at(&theirs, want, i);
        const size_t n = ours.shape[0] * (ours.rank == 2 ? ours.shape[1] : 1);
        for (size_t j = 0; j < n; j++) {
            if (is_key_bias(&ours, j)) continue;
            const double error = verify_max_error(&ours.data[j], &theirs.data[j], 1);
            most = fmax(most, error);
            far += !(error <= close);
            compared++;
        }
    }
    TRY(verify_error(r, "adam", "adam/weights_after (all)", most,
                     tolerance_bound(TOLERANCE_ADAM_EVERY, 1), err));
    TRY(verify_error(r, "adam", "adam/weights_after (share not close)",
                     (double)far / (double)compared, tolerance_bound(TOLERANCE_ADAM_SHARE, 1),
                     err));
cleanup:
    return rc;
}

/* ---- steps of Adam */

enum { ADAM_STEPS = 64 }; /* at most */

struct adam_reference {                    /* the group `adam` */
    struct fixture_array xs, ys, loss, lr; /* [steps, B, P, D], [steps, B, P], [steps], [] */
    size_t steps, B, P;
    struct params after; /* adam/weights_after */
};

struct adam_trained { /* the model while this program trains it */
    struct params p, m, v, gradient;
    struct train_step step;
};

static void reference_release(struct adam_reference *a) {
    params_destroy(&a->after);
    fixture_array_release(&a->lr);
    fixture_array_release(&a->loss);
    fixture_array_release(&a->ys);
    fixture_array_release(&a->xs);
}

static enum err_code reference_read(struct adam_reference *a, const struct fixture *f,
                                    const struct model_dims *d, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(fixture_floats(&a->xs, f, "adam/xs", 4, err));
    TRY(fixture_floats(&a->ys, f, "adam/ys", 3, err));
    TRY(fixture_floats(&a->loss, f, "adam/loss", 1, err));
    TRY(fixture_floats(&a->lr, f, "adam/lr", 0, err));
    a->steps = a->xs.shape[0], a->B = a->xs.shape[1], a->P = a->xs.shape[2];
    CHECK(a->xs.n > 0 && a->steps <= ADAM_STEPS && a->loss.n == a->steps &&
              a->ys.n == a->steps * a->B * a->P && a->xs.shape[3] == d->inputs &&
              2 * a->P <= d->positions,
          ERR_DATA, "%s: adam/xs, ys and loss disagree", fixture_path(f));
    TRY(params_create(&a->after, d, err));
    TRY(verify_read_params(&a->after, f, "adam/weights_after", err));
cleanup:
    return rc;
}

static void trained_release(struct adam_trained *t) {
    train_step_destroy(&t->step);
    params_destroy(&t->gradient);
    params_destroy(&t->v);
    params_destroy(&t->m);
    params_destroy(&t->p);
}

static enum err_code trained_create(struct adam_trained *t, const struct params *start,
                                    const struct verify_report *r, size_t B, size_t P,
                                    struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &start->dims;
    TRY(params_create(&t->p, d, err));
    TRY(params_create(&t->m, d, err));
    TRY(params_create(&t->v, d, err));
    TRY(params_create(&t->gradient, d, err));
    TRY(train_step_create(&t->step, d, B, P, err));
    memcpy(t->p.block, start->block, params_count(d) * sizeof(float));
    TRY(verify_use_arithmetic(&t->p, r, true, err));
cleanup:
    return rc;
}

/* Step i (from 0); *before: the loss before it. */
static enum err_code train(float *before, struct adam_trained *t, const struct adam_reference *a,
                           size_t i, struct err *err) {
    static const struct prompt_loss LOSS = {.kind = LOSS_SQUARED};
    static const struct adam ADAM = {.beta1 = 0.9F, .beta2 = 0.999F, .epsilon = 1e-8F};
    const size_t n = params_count(&t->p.dims), rows = a->B * a->P, dims = t->p.dims.inputs;
    const struct prompt_view batch = {.n = a->B,
                                      .points = a->P,
                                      .dims = dims,
                                      .x = a->xs.floats + i * rows * dims,
                                      .y = a->ys.floats + i * rows};
    memset(t->gradient.block, 0, n * sizeof(float));
    const double loss =
        train_step_run(&t->gradient, &t->step, &t->p, &batch, &LOSS, 1 / (double)rows);
    adam_step(t->p.block, t->m.block, t->v.block, t->gradient.block, n, &ADAM, a->lr.floats[0],
              (int64_t)i + 1);
    *before = (float)loss;
    return model_products_refresh(&t->p, err);
}

enum err_code verify_adam(struct verify_report *r, const struct fixture *f,
                          const struct params *start, struct err *err) {
    enum err_code rc = ERR_OK;
    struct adam_reference a = {0};
    struct adam_trained t = {0};
    float losses[ADAM_STEPS];
    TRY(reference_read(&a, f, &start->dims, err));
    TRY(trained_create(&t, start, r, a.B, a.P, err));
    for (size_t i = 0; i < a.steps; i++) TRY(train(&losses[i], &t, &a, i, err));
    TRY(verify_floats(r, "adam", "adam/loss", losses, a.loss.floats, a.steps, TOLERANCE_ADAM_LOSS,
                      err));
    TRY(compare_weights_after(r, &t.p, &a.after, err));
cleanup:
    trained_release(&t);
    reference_release(&a);
    return rc;
}
