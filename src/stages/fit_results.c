#include "stages/fit_results.h"

#include <math.h>

#include "config/config.h"
#include "ops/vector_ops.h"
#include "stages/fit_rows.h"

static int64_t count_nonzero(const float *w, size_t n) {
    int64_t count = 0;
    for (size_t i = 0; i < n; i++) count += w[i] != 0;
    return count;
}

static enum err_code write_fit_row(struct job_ctx *ctx, const struct fit_results *r,
                                   struct err *err) {
    const struct method *m = r->setup->method;
    const size_t n = r->weights ? method_weights(r->setup) : 0;
    const struct fit_row row = {
        .method = m->name,
        .reading = method_variant(r->setup),
        .points = config_has(ctx->point, "points") ? (int64_t)r->points : JOB_NO_INT,
        .basis_points = (int64_t)r->T0,
        .repeat = r->repeat,
        .epochs = r->epochs,
        .best_epoch = r->best_epoch,
        .train_loss = r->train_loss,
        .validation_loss = r->validation_loss,
        .weight_norm = r->weights ? vector_norm(r->weights, n) : (double)NAN,
        .end = r->end,
        .choice = m->derivation.chosen ? m->derivation.chosen(r->setup) : (double)NAN,
        .nonzero = count_nonzero(r->weights, n),
    };
    return fit_row_write(ctx, 0, &row, err);
}

static enum err_code write_mean(struct job_ctx *ctx, const struct basis_set *mean,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    for (enum basis_part p = 0; p < BASIS_PARTS; p++) {
        const struct job_tensor t = {BASIS_NAMES[p],
                                     2,
                                     {basis_blocks(p, &mean->dims), basis_width(p, &mean->dims)},
                                     mean->part[p]};
        if (t.data) TRY(job_tensor(ctx, &t, err));
    }
cleanup:
    return rc;
}

/* `evaluate` reads "weights", "choice" and the mean basis. */
static enum err_code write_tensors(struct job_ctx *ctx, const struct fit_results *r,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    const float choice = (float)r->setup->choice;
    const struct job_tensor chosen = {"choice", 1, {1}, &choice};
    const struct job_tensor losses = {
        "choice_losses", 1, {method_choices(r->setup)}, r->choice_losses};
    struct job_tensor weights = {.name = "weights", .rank = 2, .data = r->weights};
    if (r->weights) {
        r->setup->method->derivation.weights_shape(weights.shape, r->setup);
        TRY(job_tensor(ctx, &weights, err));
    }
    TRY(job_tensor(ctx, &chosen, err));
    TRY(job_tensor(ctx, &losses, err));
    if (r->mean) TRY(write_mean(ctx, r->mean, err));
cleanup:
    return rc;
}

enum err_code fit_results_write(struct job_ctx *ctx, const struct fit_results *r, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text config = {0};
    config_point_identity(&config, ctx->point);
    TRY(text_check(&config, err));
    TRY(write_fit_row(ctx, r, err));
    TRY(write_tensors(ctx, r, err));
    TRY(job_note(ctx, "method", r->setup->method->name, err));
    TRY(job_note(ctx, "config", text_str(&config), err));
cleanup:
    text_release(&config);
    return rc;
}
