/*
 * A reference file of a regression model: the forward pass here, and the other parts in
 * verify_pretrain.c (loss, gradients, Adam), verify_ltv.c (curves, learnable task vectors),
 * verify_fv_icv.c (function vectors, in-context vectors) and verify_shifts.c.
 */
#include <math.h>
#include <stdlib.h>

#include "model/forward.h"
#include "ops/attention.h"
#include "run/verify/verify_file.h"
#include "run/verify/verify_fv_icv.h"
#include "run/verify/verify_ltv.h"
#include "run/verify/verify_model.h"
#include "run/verify/verify_pretrain.h"
#include "run/verify/verify_shifts.h"
#include "sources/prompt_batch.h"

struct core_prompts { /* core/xs [B, P, D] and core/ys [B, P] */
    struct fixture_array xs, ys;
    struct prompt_view view; /* of both */
};

static void prompts_release(struct core_prompts *p) {
    fixture_array_release(&p->xs);
    fixture_array_release(&p->ys);
}

static enum err_code read_prompts(struct core_prompts *p, const struct fixture *f,
                                  const struct model_dims *d, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(fixture_floats(&p->xs, f, "core/xs", 3, err));
    TRY(fixture_floats(&p->ys, f, "core/ys", 2, err));
    const size_t B = p->xs.shape[0], P = p->xs.shape[1];
    CHECK(p->xs.n > 0 && p->xs.shape[2] == d->inputs && p->ys.n == B * P && 2 * P <= d->positions,
          ERR_DATA, "%s: core/xs, core/ys and n_positions disagree", fixture_path(f));
    p->view = (struct prompt_view){
        .n = B, .points = P, .dims = d->inputs, .x = p->xs.floats, .y = p->ys.floats};
cleanup:
    return rc;
}

/* Layout: this program keeps [tokens, ...] for each layer, the file [B, L, ..., tokens, ...]. */

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
                     tolerance_of(TOLERANCE_FORWARD, want.floats, want.n), err));
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
    const float *square = want.floats; /* [T, T]; beyond what its token sees a row is 0 */
    for (size_t b = 0; b < fw->B; b++)
        for (size_t l = 0; l < d->L; l++)
            for (size_t h = 0; h < d->H; h++, square += T * T)
                for (size_t t = 0; t < T; t++)
                    error =
                        fmax(error, verify_max_error(fw->layers[l].att + (b * d->H + h) * triangle +
                                                         attention_row_start(t, 1),
                                                     square + t * T, t + 1));
    TRY(verify_error(r, "core", "core/attention", error, tolerance_bound(TOLERANCE_ATTENTION, 1),
                     err));
cleanup:
    fixture_array_release(&want);
    return rc;
}

/* The states after ln_f are compared at the x tokens, the only ones that the model computes. */
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
                     tolerance_of(TOLERANCE_FORWARD, want.floats, want.n), err));
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
    TRY(verify_floats(r, "core", "core/predictions", fw->prediction, want.floats, want.n,
                      TOLERANCE_FORWARD, err));
cleanup:
    fixture_array_release(&want);
    return rc;
}

static enum err_code compare_core(struct verify_report *r, const struct fixture *f,
                                  const struct params *p, const struct prompt_view *prompts,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    struct forward fw = {0};
    const size_t B = prompts->n, P = prompts->points;
    float *tokens = calloc(B * 2 * P * p->dims.inputs, sizeof(float));
    CHECK(tokens, ERR_MEMORY, "no memory for the tokens of %zu prompts", B);
    TRY(forward_create(&fw, &p->dims, B, 2 * P, false, err));
    prompt_batch_sequences(tokens, prompts, P);
    forward_run(&fw, p, tokens, B, 2 * P);
    TRY(compare_predictions(r, f, &fw, err));
    TRY(compare_hidden(r, f, &fw, err));
    TRY(compare_attention(r, f, &fw, err));
    TRY(compare_head_outputs(r, f, &fw, err));
cleanup:
    forward_destroy(&fw);
    free(tokens);
    return rc;
}

enum err_code verify_regression(struct verify_report *r, const struct fixture *f, struct err *err) {
    enum err_code rc = ERR_OK;
    struct params p = {0};
    struct core_prompts in = {0};
    TRY(verify_read_model(&p, f, err));
    TRY(verify_use_arithmetic(&p, r, true, err));
    TRY(read_prompts(&in, f, &p.dims, err));
    TRY(compare_core(r, f, &p, &in.view, err));
    TRY(verify_loss_gradient(r, f, &p, &in.view, err));
    if (fixture_has(f, "adam")) TRY(verify_adam(r, f, &p, err));
    if (fixture_has(f, "ltv")) TRY(verify_ltv(r, f, &p, err));
    if (fixture_has(f, "shift")) TRY(verify_shift_queries(r, f, err));
    TRY(verify_fv_icv(r, f, &p, err));
cleanup:
    prompts_release(&in);
    params_destroy(&p);
    return rc;
}
