#include "stages/measures/leave_one_out_run.h"

#include <stdio.h>
#include <stdlib.h>

#include "activations/causal_map.h"
#include "passes/head_leave_out.h"
#include "stages/job_model.h"
#include "stages/measures/evaluated_functions.h"
#include "stages/measures/leave_one_out_rows.h"
#include "stages/shared_keys.h"
#include "stats/interval.h"
#include "stats/moments.h"

struct leave_one_out {
    struct evaluated_functions f;
    struct head_leave_out pass;
    size_t points, heads;
    float *changes;         /* [heads, functions] error without the head minus that with all */
    double *mean, *values;  /* [heads], [functions] of one head */
    uint32_t *order, *rank; /* [heads] each */
};

size_t leave_one_out_points(const struct config_point *point, const struct config_point *fit) {
    const size_t given = shared_keys_size(point, "points");
    return given > 0 ? given : shared_keys_size(fit, "points");
}

static void leave_one_out_release(struct leave_one_out *s) {
    free(s->order);
    free(s->mean);
    free(s->changes);
    head_leave_out_destroy(&s->pass);
    evaluated_functions_close(&s->f);
}

static enum err_code create_changes(struct leave_one_out *s, struct err *err) {
    const size_t n = s->f.functions, heads = s->heads;
    s->changes = calloc(heads * n, sizeof *s->changes);
    s->mean = calloc(heads + n, sizeof *s->mean);
    s->order = calloc(2 * heads, sizeof *s->order);
    if (!s->changes || !s->mean || !s->order)
        return ERR(err, ERR_MEMORY, "no memory for %zu heads on %zu functions", heads, n);
    s->values = s->mean + heads;
    s->rank = s->order + heads;
    return ERR_OK;
}

static enum err_code leave_one_out_init(struct leave_one_out *s, struct job_ctx *ctx,
                                        struct err *err) {
    enum err_code rc = ERR_OK;
    *s = (struct leave_one_out){
        .points = leave_one_out_points(ctx->point, job_model_fit_input(ctx)->point)};
    TRY(evaluated_functions_open(&s->f, ctx, s->points, err));
    const struct fitted_method *fitted = &s->f.method.fitted;
    const struct head_leave_out_options o = {
        .setup = &fitted->setup,
        .w = fitted->w,
        .chunk = s->f.chunk,
        .points = s->points,
        .functions = s->f.functions,
        .contexts = s->f.contexts,
        .share = job_model_share(&s->f.share, ctx, &s->f.model),
        .loss = source_info(s->f.source)->loss,
    };
    s->heads = method_weights(&fitted->setup);
    TRY(head_leave_out_create(&s->pass, &o, err));
    TRY(create_changes(s, err));
cleanup:
    if (rc != ERR_OK) leave_one_out_release(s);
    return rc;
}

static enum err_code leave_heads_out(struct leave_one_out *s, struct err *err) {
    enum err_code rc = ERR_OK;
    struct evaluated_functions *f = &s->f;
    size_t n;
    for (size_t first = 0; first < f->functions; first += n) {
        TRY(evaluated_functions_next(&n, f, first, err));
        const struct prompt_view prompts = source_draw(f->source, first, n);
        const struct basis basis = function_basis_find(&f->basis, NULL, first, n);
        head_leave_out_run(&s->pass, &prompts, &basis, first);
        TRY(job_progress(f->ctx, (double)(first + n), (double)f->functions, err));
    }
cleanup:
    return rc;
}

static void rank_changes(struct leave_one_out *s) {
    const size_t n = s->f.functions;
    const float *all = s->pass.errors;
    for (size_t h = 0; h < s->heads; h++) {
        for (size_t i = 0; i < n; i++) {
            s->changes[h * n + i] = all[(1 + h) * n + i] - all[i];
            s->values[i] = (double)s->changes[h * n + i];
        }
        s->mean[h] = moments_of(s->values, n).mean;
    }
    causal_rank(s->order, s->mean, s->heads);
    for (size_t i = 0; i < s->heads; i++) s->rank[s->order[i]] = (uint32_t)i + 1;
}

/* ---- results */

static double error_without(struct leave_one_out *s, size_t h) {
    const size_t n = s->f.functions;
    for (size_t i = 0; i < n; i++) s->values[i] = (double)s->pass.errors[(1 + h) * n + i];
    return moments_of(s->values, n).mean;
}

static struct interval change_of(struct leave_one_out *s, size_t h) {
    const size_t n = s->f.functions;
    for (size_t i = 0; i < n; i++) s->values[i] = (double)s->changes[h * n + i];
    return interval_t(s->values, n, config_float(s->f.ctx->point, "confidence"));
}

static enum err_code write_left_out(struct leave_one_out *s, size_t h, struct err *err) {
    const struct evaluated_method *m = &s->f.method;
    const size_t H = s->f.model.params.dims.H;
    const struct interval change = change_of(s, h);
    const struct leave_one_out_row row = {
        .method = evaluated_method_name(m),
        .reading = m->reading,
        .fit_points = evaluated_method_fit_points(m),
        .repeat = evaluated_method_repeat(m),
        .source = source_info(s->f.source)->name,
        .points = (int64_t)s->points,
        .layer = (int64_t)(h / H),
        .head = (int64_t)(h % H),
        .functions = (int64_t)s->f.functions,
        .weight = (double)m->fitted.w[h],
        .mse = error_without(s, h),
        .mse_change = change.value,
        .change_low = change.low,
        .change_high = change.high,
        .rank = s->rank[h],
        .wpe_seed = (int64_t)job_model_wpe_seed(s->f.ctx->point, m->fit->point),
    };
    return leave_one_out_row_write(s->f.ctx, h, &row, err);
}

/* As `head_weights` does, so that `agreement` reads both. */
static enum err_code note_fit(const struct leave_one_out *s, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct evaluated_method *m = &s->f.method;
    char fit[128], repeat[32];
    (void)snprintf(fit, sizeof fit, "%s%s%.90s", evaluated_method_name(m), m->reading[0] ? "." : "",
                   m->reading);
    (void)snprintf(repeat, sizeof repeat, "%lld", (long long)evaluated_method_repeat(m));
    TRY(job_note(s->f.ctx, "fit", fit, err));
    TRY(job_note(s->f.ctx, "repeat", repeat, err));
cleanup:
    return rc;
}

enum err_code leave_one_out_run(struct job_ctx *ctx, struct err *err) {
    struct leave_one_out s;
    enum err_code rc = leave_one_out_init(&s, ctx, err);
    if (rc != ERR_OK) return rc;
    const struct model_dims *d = &s.f.model.params.dims;
    TRY(leave_heads_out(&s, err));
    rank_changes(&s);
    for (size_t h = 0; h < s.heads; h++) TRY(write_left_out(&s, h, err));
    const struct job_tensor errors = {"errors", 1, {s.f.functions}, s.pass.errors};
    const struct job_tensor changes = {"changes", 3, {d->L, d->H, s.f.functions}, s.changes};
    TRY(job_tensor(ctx, &errors, err));
    TRY(job_tensor(ctx, &changes, err));
    TRY(note_fit(&s, err));
cleanup:
    leave_one_out_release(&s);
    return rc;
}
