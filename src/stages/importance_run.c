#include "stages/importance_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sources/source_registry.h"
#include "stages/evaluated_functions.h"
#include "stages/fit_keys.h"
#include "stages/importance_rows.h"
#include "stages/job_model.h"
#include "stages/shared_keys.h"
#include "stats/interval.h"

enum map { WEIGHT, CHANGE, LEFT_OUT, EFFECT, MAPS };

struct importance {
    struct evaluated_functions f;
    struct head_leave_out left_out;
    struct source *source; /* of the causal map */
    struct basis_set mean; /* one row */
    size_t points, heads, prompts;
    float *effects;                /* [heads, prompts] */
    double *map[MAPS];             /* [heads] each */
    struct interval *out, *effect; /* [heads] */
    uint32_t *rank[MAPS], *order;  /* [heads] each */
    double *values;                /* [functions or prompts] of one head */
    double *doubles;               /* of all maps and values */
    uint32_t *integers;            /* of all ranks and the order */
    bool has_change;
};

size_t importance_points(const struct config_point *point, const struct config_point *fit) {
    const size_t given = shared_keys_size(point, "points");
    return given > 0 ? given : shared_keys_size(fit, "points");
}

struct causal_options importance_causal(const struct config_point *point,
                                        const struct model_dims *dims, size_t T0) {
    const size_t n = shared_keys_size(point, "prompts");
    return (struct causal_options){.prompts = {.n = n, .points = T0, .dims = dims->inputs},
                                   .T0 = T0,
                                   .chunk = shared_keys_chunk(point, n),
                                   .contexts = shared_keys_contexts(point),
                                   .reading = CAUSAL_HEADS,
                                   .corruption = CAUSAL_SHARED};
}

bool importance_has_heads(const struct method *method) {
    return method_learns(method) && method->derivation.weights_shape == method_shape_heads;
}

static void importance_release(struct importance *s) {
    free(s->integers);
    free(s->doubles);
    free(s->effect);
    free(s->out);
    free(s->effects);
    basis_set_destroy(&s->mean);
    source_close(s->source);
    head_leave_out_destroy(&s->left_out);
    evaluated_functions_close(&s->f);
}

static enum err_code create_importance_arrays(struct importance *s, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = s->f.functions > s->prompts ? s->f.functions : s->prompts, heads = s->heads;
    s->effects = calloc(heads * s->prompts, sizeof *s->effects);
    s->out = calloc(heads, sizeof *s->out);
    s->effect = calloc(heads, sizeof *s->effect);
    s->doubles = calloc(MAPS * heads + n, sizeof *s->doubles);
    s->integers = calloc((MAPS + 1) * heads, sizeof *s->integers);
    CHECK(s->effects && s->out && s->effect && s->doubles && s->integers, ERR_MEMORY,
          "no memory for %zu heads on %zu prompts", heads, n);
    for (size_t m = 0; m < MAPS; m++) {
        s->map[m] = s->doubles + m * heads;
        s->rank[m] = s->integers + m * heads;
    }
    s->values = s->doubles + MAPS * heads;
    s->order = s->integers + MAPS * heads;
cleanup:
    return rc;
}

static enum err_code importance_init(struct importance *s, struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    *s = (struct importance){.points =
                                 importance_points(ctx->point, job_model_fit_input(ctx)->point),
                             .prompts = shared_keys_size(ctx->point, "prompts")};
    TRY(evaluated_functions_open(&s->f, ctx, s->points, err));
    const struct fitted_method *fitted = &s->f.method.fitted;
    const struct model_dims *d = &s->f.model.params.dims;
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
    s->heads = d->L * d->H;
    TRY(head_leave_out_create(&s->left_out, &o, err));
    TRY(basis_set_create(&s->mean, d, basis_bit(BASIS_HEADS), 1, err));
    TRY(create_importance_arrays(s, err));
cleanup:
    if (rc != ERR_OK) importance_release(s);
    return rc;
}

/* ---- the maps */

static double work_of(const struct importance *s) {
    const double heads = (double)s->heads, prompts = (double)s->prompts;
    return (double)s->f.functions * (heads + 1) + prompts * (heads + 1);
}

static enum err_code leave_heads_out(struct importance *s, struct err *err) {
    enum err_code rc = ERR_OK;
    struct evaluated_functions *f = &s->f;
    size_t n;
    for (size_t first = 0; first < f->functions; first += n) {
        TRY(evaluated_functions_next(&n, f, first, err));
        const struct prompt_view prompts = source_draw(f->source, first, n);
        const struct basis basis = function_basis_find(&f->basis, NULL, first, n);
        head_leave_out_run(&s->left_out, &prompts, &basis, first);
        TRY(job_progress(f->ctx, (double)((first + n) * (s->heads + 1)), work_of(s), err));
    }
cleanup:
    return rc;
}

static enum err_code report_effects(void *context, double done, double total, struct err *err) {
    struct importance *s = context;
    if (job_should_stop(s->f.ctx))
        return ERR(err, ERR_STOPPED, "stopped after %.0f of %.0f passes", done, total);
    return job_progress(s->f.ctx, work_of(s) - total + done, work_of(s), err);
}

/* On the prompts of the stage `effects`. */
static enum err_code map_effects(struct importance *s, struct err *err) {
    enum err_code rc = ERR_OK;
    struct evaluated_functions *f = &s->f;
    const struct params *p = &f->model.params;
    const struct rng stream = rng_stream(f->ctx->seed, "effects/corruption");
    const struct source_options source = {.seed = f->ctx->seed, .split = "effects"};
    struct causal_progress progress = {report_effects, s, 0, (double)(s->prompts * (s->heads + 1))};
    struct causal_options o = importance_causal(f->ctx->point, &p->dims, f->T0);
    o.share = job_model_share(&f->share, f->ctx, &f->model);
    o.stream = &stream;
    o.progress = &progress;
    TRY(source_open(&s->source, f->ctx->point, &source, err));
    TRY(source_reserve(s->source, s->prompts, f->T0, err));
    o.prompts = source_draw(s->source, 0, s->prompts);
    TRY(causal_mean(&s->mean, p, &o, err));
    const struct basis values = basis_set_view(&s->mean, 0, 1);
    TRY(causal_map(s->effects, p, &values, &o, err));
    TRY(causal_effects(s->map[EFFECT], s->effects, &p->dims, s->prompts, err));
cleanup:
    return rc;
}

/* The initial weights are a function of the fit's keys and the seed, unless a file had them. */
static enum err_code map_changes(struct importance *s, struct err *err) {
    const struct config_point *fit = s->f.method.fit->point;
    const struct method_setup *setup = &s->f.method.fitted.setup;
    const char *file = config_has(fit, "weights") ? config_text(fit, "weights") : "";
    struct fit_keys keys;
    s->has_change = !*file;
    for (size_t h = 0; !s->has_change && h < s->heads; h++) s->map[CHANGE][h] = (double)NAN;
    if (!s->has_change) return ERR_OK;
    float *initial = calloc(s->heads, sizeof *initial);
    if (!initial) return ERR(err, ERR_MEMORY, "no memory for %zu weights", s->heads);
    fit_keys_read(&keys, fit);
    const struct rng stream = fit_stream(&keys, s->f.ctx->seed, "init");
    setup->method->derivation.init(initial, setup, &stream);
    for (size_t h = 0; h < s->heads; h++)
        s->map[CHANGE][h] = (double)s->f.method.fitted.w[h] - (double)initial[h];
    free(initial);
    return ERR_OK;
}

static void summarise_heads(struct importance *s) {
    const double confidence = config_float(s->f.ctx->point, "confidence");
    const size_t n = s->f.functions;
    const float *all = s->left_out.errors;
    for (size_t h = 0; h < s->heads; h++) {
        const float *without = all + (1 + h) * n;
        s->map[WEIGHT][h] = (double)s->f.method.fitted.w[h];
        for (size_t i = 0; i < n; i++) s->values[i] = (double)without[i] - (double)all[i];
        s->out[h] = interval_t(s->values, n, confidence);
        s->map[LEFT_OUT][h] = s->out[h].value;
        for (size_t i = 0; i < s->prompts; i++)
            s->values[i] = (double)s->effects[h * s->prompts + i];
        s->effect[h] = interval_t(s->values, s->prompts, confidence);
    }
}

/* Weights and changes by size, the other maps by value. */
static void rank_heads(struct importance *s, double *sizes) {
    for (size_t m = 0; m < MAPS; m++) {
        const bool by_size = m == WEIGHT || m == CHANGE;
        if (m == CHANGE && !s->has_change) continue;
        for (size_t h = 0; h < s->heads; h++)
            sizes[h] = by_size ? fabs(s->map[m][h]) : s->map[m][h];
        causal_rank(s->order, sizes, s->heads);
        for (size_t i = 0; i < s->heads; i++) s->rank[m][s->order[i]] = (uint32_t)i + 1;
    }
}

static enum err_code find_maps(struct importance *s, struct err *err) {
    enum err_code rc = ERR_OK;
    double *sizes = calloc(s->heads, sizeof *sizes);
    CHECK(sizes, ERR_MEMORY, "no memory for %zu heads", s->heads);
    TRY(leave_heads_out(s, err));
    TRY(map_effects(s, err));
    TRY(map_changes(s, err));
    summarise_heads(s);
    rank_heads(s, sizes);
cleanup:
    free(sizes);
    return rc;
}

/* ---- results */

static void fill_fit(struct importance_row *row, const struct importance *s) {
    const struct evaluated_method *m = &s->f.method;
    row->method = evaluated_method_name(m);
    row->reading = m->reading;
    row->fit_points = evaluated_method_fit_points(m);
    row->repeat = evaluated_method_repeat(m);
    row->source = source_info(s->f.source)->name;
    row->points = (int64_t)s->points;
    row->functions = (int64_t)s->f.functions;
    row->wpe_seed = (int64_t)job_model_wpe_seed(s->f.ctx->point, m->fit->point);
}

static enum err_code write_importance_row(const struct importance *s, size_t h, struct err *err) {
    const size_t H = s->f.model.params.dims.H;
    struct importance_row row = {
        .layer = (int64_t)(h / H),
        .head = (int64_t)(h % H),
        .weight = s->map[WEIGHT][h],
        .change = s->map[CHANGE][h],
        .leave_one_out = s->map[LEFT_OUT][h],
        .out_low = s->out[h].low,
        .out_high = s->out[h].high,
        .effect = s->map[EFFECT][h],
        .effect_low = s->effect[h].low,
        .effect_high = s->effect[h].high,
        .weight_rank = s->rank[WEIGHT][h],
        .change_rank = s->has_change ? s->rank[CHANGE][h] : JOB_NO_INT,
        .out_rank = s->rank[LEFT_OUT][h],
        .effect_rank = s->rank[EFFECT][h],
    };
    fill_fit(&row, s);
    return importance_row_write(s->f.ctx, h, &row, err);
}

enum err_code importance_run(struct job_ctx *ctx, struct err *err) {
    struct importance s;
    enum err_code rc = importance_init(&s, ctx, err);
    if (rc != ERR_OK) return rc;
    const struct model_dims *d = &s.f.model.params.dims;
    TRY(find_maps(&s, err));
    for (size_t h = 0; h < s.heads; h++) TRY(write_importance_row(&s, h, err));
    const struct job_tensor all[] = {
        {"errors", 2, {1 + s.heads, s.f.functions}, s.left_out.errors},
        {"effects", 3, {d->L, d->H, s.prompts}, s.effects},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) TRY(job_tensor(ctx, &all[i], err));
cleanup:
    importance_release(&s);
    return rc;
}
