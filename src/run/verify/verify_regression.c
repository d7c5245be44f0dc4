/*
 * A regression model against its reference numbers: the forward pass, its gradients, five steps of
 * Adam.  What the query stream computes (curves and task vectors) is in verify_vectors.c.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/forward.h"
#include "ops/attention.h"
#include "optim/adam.h"
#include "passes/train_step.h"
#include "run/verify/verify_file.h"
#include "run/verify/verify_fv_icv.h"
#include "run/verify/verify_shifts.h"
#include "run/verify/verify_vectors.h"
#include "sources/prompt_batch.h"

static enum err_code read_dims(struct model_dims *out, const struct fixture *f, struct err *err) {
    enum err_code rc = ERR_OK;
    static const char *const NAMES[] = {"n_layer", "n_head",      "n_embd",
                                        "n_dims",  "n_positions", "layer_norm_epsilon"};
    double value[6];
    for (size_t i = 0; i < 6; i++) {
        TRY(fixture_attribute(&value[i], f, NAMES[i], err));
        CHECK(value[i] > 0 && value[i] < 1e6, ERR_DATA, "%s: attribute %s: %g is out of range",
              fixture_path(f), NAMES[i], value[i]);
    }
    *out = (struct model_dims){.L = (size_t)value[0],
                               .H = (size_t)value[1],
                               .E = (size_t)value[2],
                               .inputs = (size_t)value[3],
                               .positions = (size_t)value[4],
                               .epsilon = (float)value[5]};
    CHECK(value[0] * value[2] * value[2] < 1e13, ERR_DATA, /* far from what overflows a size */
          "%s: %g layers of width %g are too large to be true", fixture_path(f), value[0],
          value[2]);
    CHECK(out->H > 0 && out->E % out->H == 0, ERR_DATA, "%s: n_head %zu does not divide n_embd %zu",
          fixture_path(f), out->H, out->E);
cleanup:
    return rc;
}

/* Reads GROUP/NAME for every tensor of the model. */
static enum err_code read_params(struct params *p, const struct fixture *f, const char *group,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    struct fixture_array a = {0};
    struct param_info info;
    char name[160];
    for (size_t i = 0; i < params_tensors(&p->dims); i++) {
        params_at(&info, p, i);
        const size_t n = info.shape[0] * (info.rank == 2 ? info.shape[1] : 1);
        (void)snprintf(name, sizeof name, "%s/%s", group, info.name);
        TRY(fixture_floats(&a, f, name, (int)info.rank, err));
        CHECK(a.n == n && a.shape[0] == info.shape[0], ERR_DATA,
              "%s: %s: expected %zu x %zu numbers, found %zu", fixture_path(f), name, info.shape[0],
              n / info.shape[0], a.n);
        memcpy(info.data, a.floats, n * sizeof(float));
        fixture_array_release(&a);
    }
cleanup:
    fixture_array_release(&a);
    return rc;
}

enum err_code verify_read_model(struct params *out, const struct fixture *f, struct err *err) {
    enum err_code rc = ERR_OK;
    struct model_dims dims;
    TRY(read_dims(&dims, f, err));
    TRY(params_create(out, &dims, err));
    TRY(read_params(out, f, "weights", err));
cleanup:
    return rc;
}

struct prompts_read { /* xs [B, P, D] and ys [B, P] of the file */
    struct fixture_array xs, ys;
    size_t B, P;
};

static void prompts_release(struct prompts_read *p) {
    fixture_array_release(&p->xs);
    fixture_array_release(&p->ys);
}

static enum err_code read_prompts(struct prompts_read *p, const struct fixture *f,
                                  const struct model_dims *d, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(fixture_floats(&p->xs, f, "core/xs", 3, err));
    TRY(fixture_floats(&p->ys, f, "core/ys", 2, err));
    p->B = p->xs.shape[0];
    p->P = p->xs.shape[1];
    CHECK(p->xs.n > 0 && p->xs.shape[2] == d->inputs && p->ys.n == p->B * p->P &&
              2 * p->P <= d->positions,
          ERR_DATA, "%s: core/xs, core/ys and n_positions disagree", fixture_path(f));
cleanup:
    return rc;
}

/* ---- forward quantities. Ours are [tokens, ...] a layer; the file's are [B, L, ..., tokens, ...].
 */

static enum err_code compare_head_outputs(struct verify_report *r, const struct fixture *f,
                                          const struct forward *fw, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &fw->dims;
    const size_t T = fw->length, D = model_head_width(d);
    struct fixture_array want = {0};
    double error = 0;
    TRY(fixture_floats(&want, f, "core/head_outputs", 5, err));
    CHECK(want.n == fw->B * d->L * d->H * T * D, ERR_DATA, "%s: core/head_outputs: wrong shape",
          fixture_path(f));
    const float *row = want.floats;
    for (size_t b = 0; b < fw->B; b++)
        for (size_t l = 0; l < d->L; l++)
            for (size_t h = 0; h < d->H; h++)
                for (size_t t = 0; t < T; t++, row += D)
                    error = fmax(error, verify_max_error(
                                            fw->layers[l].z + (b * T + t) * d->E + h * D, row, D));
    TRY(verify_error(r, "core", "core/head_outputs", error,
                     verify_tolerance(want.floats, want.n, 1e-5, VERIFY_SCALED), err));
cleanup:
    fixture_array_release(&want);
    return rc;
}

static enum err_code compare_attention(struct verify_report *r, const struct fixture *f,
                                       const struct forward *fw, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &fw->dims;
    const size_t T = fw->length, triangle = attention_triangle(T, 1);
    struct fixture_array want = {0};
    double error = 0;
    TRY(fixture_floats(&want, f, "core/attention", 5, err));
    CHECK(want.n == fw->B * d->L * d->H * T * T, ERR_DATA, "%s: core/attention: wrong shape",
          fixture_path(f));
    const float *square = want.floats; /* [T, T]; a row's rest behind what its token sees is 0 */
    for (size_t b = 0; b < fw->B; b++)
        for (size_t l = 0; l < d->L; l++)
            for (size_t h = 0; h < d->H; h++, square += T * T)
                for (size_t t = 0; t < T; t++)
                    error =
                        fmax(error, verify_max_error(fw->layers[l].att + (b * d->H + h) * triangle +
                                                         attention_row_start(t, 1),
                                                     square + t * T, t + 1));
    TRY(verify_error(r, "core", "core/attention", error, 1e-5, err));
cleanup:
    fixture_array_release(&want);
    return rc;
}

/* The states after ln_f are compared at the x tokens: the model reads nothing else of them. */
static enum err_code compare_hidden(struct verify_report *r, const struct fixture *f,
                                    const struct forward *fw, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &fw->dims;
    const size_t T = fw->length, E = d->E, tokens = fw->B * T;
    struct fixture_array want = {0};
    double error = 0;
    TRY(fixture_floats(&want, f, "core/hidden_states", 4, err));
    CHECK(want.n == fw->B * (d->L + 1) * T * E, ERR_DATA, "%s: core/hidden_states: wrong shape",
          fixture_path(f));
    for (size_t b = 0; b < fw->B; b++) {
        const float *states = want.floats + b * (d->L + 1) * T * E;
        for (size_t l = 0; l < d->L; l++)
            error = fmax(error, verify_max_error(fw->x + (l * tokens + b * T) * E,
                                                 states + l * T * E, T * E));
        for (size_t t = 0; t < T; t += 2)
            error = fmax(error, verify_max_error(fw->last.norm + (b * T / 2 + t / 2) * E,
                                                 states + (d->L * T + t) * E, E));
    }
    TRY(verify_error(r, "core", "core/hidden_states (last: x tokens)", error,
                     verify_tolerance(want.floats, want.n, 1e-5, VERIFY_SCALED), err));
cleanup:
    fixture_array_release(&want);
    return rc;
}

static enum err_code compare_predictions(struct verify_report *r, const struct fixture *f,
                                         const struct forward *fw, struct err *err) {
    enum err_code rc = ERR_OK;
    struct fixture_array want = {0};
    TRY(fixture_floats(&want, f, "core/predictions", 2, err));
    CHECK(want.n == fw->B * fw->length / 2, ERR_DATA, "%s: core/predictions: wrong shape",
          fixture_path(f));
    TRY(verify_floats(r, "core", "core/predictions", fw->prediction, want.floats, want.n, 1e-5,
                      VERIFY_SCALED, err));
cleanup:
    fixture_array_release(&want);
    return rc;
}

static struct prompt_view view(const float *xs, const float *ys, size_t n, size_t points,
                               const struct model_dims *d) {
    return (struct prompt_view){.n = n, .points = points, .dims = d->inputs, .x = xs, .y = ys};
}

static enum err_code compare_core(struct verify_report *r, const struct fixture *f,
                                  const struct params *p, const struct prompts_read *in,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    struct forward fw = {0};
    const size_t D = p->dims.inputs;
    float *tokens = calloc(in->B * 2 * in->P * D, sizeof(float));
    CHECK(tokens, ERR_MEMORY, "no memory for the tokens of %zu prompts", in->B);
    TRY(forward_create(&fw, &p->dims, in->B, 2 * in->P, false, err));
    const struct prompt_view prompts = view(in->xs.floats, in->ys.floats, in->B, in->P, &p->dims);
    prompt_batch_sequences(tokens, &prompts, in->P);
    forward_run(&fw, p, tokens, in->B, 2 * in->P);
    TRY(compare_predictions(r, f, &fw, err));
    TRY(compare_hidden(r, f, &fw, err));
    TRY(compare_attention(r, f, &fw, err));
    TRY(compare_head_outputs(r, f, &fw, err));
cleanup:
    forward_destroy(&fw);
    free(tokens);
    return rc;
}

/* ---- gradients and Adam */

/* The key third of c_attn.bias has no gradient in exact arithmetic: softmax cancels it. */
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
            verify_floats(r, "grad", name, ours.data, theirs.data, n, 1e-5, VERIFY_RELATIVE, err);
        if (rc != ERR_OK) return rc;
    }
    return ERR_OK;
}

static enum err_code compare_grad(struct verify_report *r, const struct fixture *f,
                                  const struct params *p, const struct prompts_read *in,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    struct train_step step = {0};
    struct params gradient = {0}, want = {0};
    struct fixture_array loss = {0};
    double got = 0;
    const struct prompt_view batch = view(in->xs.floats, in->ys.floats, in->B, in->P, &p->dims);
    TRY(train_step_create(&step, &p->dims, in->B, in->P, err));
    TRY(params_create(&gradient, &p->dims, err));
    TRY(params_create(&want, &p->dims, err));
    TRY(read_params(&want, f, "core/grad", err));
    TRY(fixture_doubles(&loss, f, "core/mse_loss", 0, err));
    got = train_step_run(&gradient, &step, p, &batch, PROBLEM_SQUARED, 1 / (double)(in->B * in->P));
    TRY(verify_error(r, "core", "core/mse_loss", fabs(got - loss.doubles[0]),
                     1e-5 * fmax(1, fabs(loss.doubles[0])), err));
    TRY(compare_gradient(r, &gradient, &want, err));
cleanup:
    fixture_array_release(&loss);
    params_destroy(&want);
    params_destroy(&gradient);
    train_step_destroy(&step);
    return rc;
}

/* A gradient near zero makes Adam's first step a coin toss: nearly all entries must agree closely,
 * all of them roughly. */
static enum err_code compare_weights_after(struct verify_report *r, const struct params *got,
                                           const struct params *want, struct err *err) {
    enum err_code rc = ERR_OK;
    struct param_info ours, theirs;
    double most = 0;
    size_t compared = 0, far = 0;
    for (size_t i = 0; i < params_tensors(&got->dims); i++) {
        params_at(&ours, got, i);
        params_at(&theirs, want, i);
        const size_t n = ours.shape[0] * (ours.rank == 2 ? ours.shape[1] : 1);
        for (size_t j = 0; j < n; j++) {
            if (is_key_bias(&ours, j)) continue;
            const double error = verify_max_error(&ours.data[j], &theirs.data[j], 1);
            most = fmax(most, error);
            far += !(error <= 2e-6);
            compared++;
        }
    }
    TRY(verify_error(r, "adam", "adam/weights_after (all)", most, 1e-3, err));
    TRY(verify_error(r, "adam", "adam/weights_after (share beyond 2e-6)",
                     (double)far / (double)compared, 1e-4, err));
cleanup:
    return rc;
}

static enum err_code compare_adam(struct verify_report *r, const struct fixture *f,
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
    TRY(read_params(&after, f, "adam/weights_after", err));
    TRY(train_step_create(&step, d, B, P, err));
    memcpy(p.block, start->block, params_count(d) * sizeof(float));
    for (size_t i = 0; i < steps; i++) {
        const struct prompt_view batch =
            view(xs.floats + i * B * P * d->inputs, ys.floats + i * B * P, B, P, d);
        memset(gradient.block, 0, params_count(d) * sizeof(float));
        losses[i] = (float)train_step_run(&gradient, &step, &p, &batch, PROBLEM_SQUARED,
                                          1 / (double)(B * P));
        adam_step(p.block, m.block, v.block, gradient.block, params_count(d), &adam, lr.floats[0],
                  (int64_t)i + 1);
    }
    TRY(verify_floats(r, "adam", "adam/loss", losses, want.floats, steps, 1e-6, VERIFY_SCALED,
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

enum err_code verify_regression(struct verify_report *r, const struct fixture *f, struct err *err) {
    enum err_code rc = ERR_OK;
    struct params p = {0};
    struct prompts_read in = {0};
    TRY(verify_read_model(&p, f, err));
    TRY(read_prompts(&in, f, &p.dims, err));
    TRY(compare_core(r, f, &p, &in, err));
    TRY(compare_grad(r, f, &p, &in, err));
    if (fixture_has(f, "adam")) TRY(compare_adam(r, f, &p, err));
    if (fixture_has(f, "ltv")) TRY(verify_vectors(r, f, &p, err));
    if (fixture_has(f, "shift")) TRY(verify_shift_queries(r, f, err));
    TRY(verify_fv_icv(r, f, &p, err));
cleanup:
    prompts_release(&in);
    params_destroy(&p);
    return rc;
}
