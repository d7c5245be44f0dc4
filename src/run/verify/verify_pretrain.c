#include "run/verify/verify_pretrain.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "optim/adam.h"
#include "passes/train_step.h"
#include "run/verify/verify_model.h"

static struct prompt_view view(const float *xs, const float *ys, size_t n, size_t points,
                               const struct model_dims *d) {
    return (struct prompt_view){.n = n, .points = points, .dims = d->inputs, .x = xs, .y = ys};
}

/* The key third of c_attn.bias has gradient 0 in exact arithmetic, since softmax cancels a shift of
 * all scores; only rounding errors would be compared. */
static bool is_key_bias(const struct param_info *info, size_t i) {
    const char *end = "attn.c_attn.bias";
    const size_t n = strlen(info->name), third = info->shape[0] / 3;
    return n > strlen(end) && strcmp(info->name + n - strlen(end), end) == 0 && i / third == 1;
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
    got = train_step_run(&gradient, &step, p, prompts, &(struct prompt_loss){LOSS_SQUARED, 0},
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
    const double close = tolerance_bound(TOLERANCE_ADAM_CLOSE, 1);
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
    TRY(verify_error(r, "adam", "adam/weights_after (share beyond 2e-6)",
                     (double)far / (double)compared, tolerance_bound(TOLERANCE_ADAM_SHARE, 1),
                     err));
cleanup:
    return rc;
}

enum err_code verify_adam(struct verify_report *r, const struct fixture *f,
                          const struct params *start, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct adam adam = {.beta1 = 0.9F, .beta2 = 0.999F, .epsilon = 1e-8F};
    struct fixture_array xs = {0}, ys = {0}, want = {0}, lr = {0};
    struct params p = {0}, after = {0}, m = {0}, v = {0}, gradient = {0};
    struct train_step step = {0};
    const struct model_dims *d = &start->dims;
    float losses[64];
    TRY(fixture_floats(&xs, f, "adam/xs", 4, err));
    TRY(fixture_floats(&ys, f, "adam/ys", 3, err));
    TRY(fixture_floats(&want, f, "adam/loss", 1, err));
    TRY(fixture_floats(&lr, f, "adam/lr", 0, err));
    const size_t steps = xs.shape[0], B = xs.shape[1], P = xs.shape[2];
    CHECK(xs.n > 0 && steps <= 64 && want.n == steps && ys.n == steps * B * P &&
              xs.shape[3] == d->inputs && 2 * P <= d->positions,
          ERR_DATA, "%s: adam/xs, ys and loss disagree", fixture_path(f));
    TRY(params_create(&p, d, err));
    TRY(params_create(&after, d, err));
    TRY(params_create(&m, d, err));
    TRY(params_create(&v, d, err));
    TRY(params_create(&gradient, d, err));
    TRY(verify_read_params(&after, f, "adam/weights_after", err));
    TRY(train_step_create(&step, d, B, P, err));
    memcpy(p.block, start->block, params_count(d) * sizeof(float));
    for (size_t i = 0; i < steps; i++) {
        const struct prompt_view batch =
            view(xs.floats + i * B * P * d->inputs, ys.floats + i * B * P, B, P, d);
        memset(gradient.block, 0, params_count(d) * sizeof(float));
        losses[i] =
            (float)train_step_run(&gradient, &step, &p, &batch,
                                  &(struct prompt_loss){LOSS_SQUARED, 0}, 1 / (double)(B * P));
        adam_step(p.block, m.block, v.block, gradient.block, params_count(d), &adam, lr.floats[0],
                  (int64_t)i + 1);
    }
    TRY(verify_floats(r, "adam", "adam/loss", losses, want.floats, steps, TOLERANCE_ADAM_LOSS,
                      err));
    TRY(compare_weights_after(r, &p, &after, err));
cleanup:
    train_step_destroy(&step);
    params_destroy(&gradient);
    params_destroy(&v);
    params_destroy(&m);
    params_destroy(&after);
    params_destroy(&p);
    fixture_array_release(&lr);
    fixture_array_release(&want);
    fixture_array_release(&ys);
    fixture_array_release(&xs);
    return rc;
}
