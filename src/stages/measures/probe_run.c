#include "stages/measures/probe_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measures/ridge_probe.h"
#include "passes/query_states.h"
#include "passes/vector_features.h"
#include "stages/job_model.h"
#include "stages/measures/evaluated_functions.h"
#include "stages/measures/probe_rows.h"
#include "stats/bootstrap.h"

enum { RESAMPLES = 2000 };

size_t probe_held_out(size_t functions) { return functions / 5; }
size_t probe_train(size_t functions) { return functions - 2 * probe_held_out(functions); }

struct probe {
    struct evaluated_functions f;
    bool reads_states; /* of plain */
    struct query_states states;
    struct vector_features vectors;
    size_t targets;
    float *parameters; /* [functions, targets] */
    double *x, *y;     /* [functions, numbers], [functions, targets] of one regression */
    struct resampler resampler;
};

static void probe_release(struct probe *p) {
    resampler_release(&p->resampler);
    free(p->x);
    free(p->y);
    free(p->parameters);
    vector_features_destroy(&p->vectors);
    query_states_destroy(&p->states);
    evaluated_functions_close(&p->f);
}

static enum err_code create_readers(struct probe *p, struct err *err) {
    enum err_code rc = ERR_OK;
    struct evaluated_functions *f = &p->f;
    const char *source = source_info(f->source)->name;
    const size_t k = f->T0 - 1;
    const struct curve_options curve = {.setup = &f->method.fitted.setup,
                                        .chunk = f->chunk,
                                        .points = f->T0,
                                        .window_points = f->T0,
                                        .trained_points = f->trained_points,
                                        .contexts = f->contexts,
                                        .share = job_model_share(&f->share, f->ctx, &f->model)};
    const struct vector_features_options vectors = {
        .setup = &f->method.fitted.setup,
        .control = f->method.control,
        .stream = evaluated_method_stream(&f->method, f->ctx->seed, source),
        .chunk = f->chunk,
        .functions = f->functions};
    if (p->reads_states)
        TRY(query_states_create(&p->states, &curve, &k, 1, f->functions, err));
    else
        TRY(vector_features_create(&p->vectors, &vectors, err));
cleanup:
    return rc;
}

static enum err_code probe_init(struct probe *p, struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    *p = (struct probe){.reads_states = !job_model_fit_input(ctx),
                        .resampler = {.seed = ctx->seed, .resamples = RESAMPLES}};
    TRY(evaluated_functions_open(&p->f, ctx, 0, err));
    p->targets = source_info(p->f.source)->functions->parameters;
    p->parameters = calloc(p->f.functions * p->targets, sizeof *p->parameters);
    p->y = calloc(p->f.functions * p->targets, sizeof *p->y);
    CHECK(p->parameters && p->y, ERR_MEMORY, "no memory for the parameters of %zu functions",
          p->f.functions);
    TRY(create_readers(p, err));
cleanup:
    if (rc != ERR_OK) probe_release(p);
    return rc;
}

static enum err_code read_chunk(struct probe *p, size_t first, struct err *err) {
    enum err_code rc = ERR_OK;
    struct evaluated_functions *f = &p->f;
    size_t n;
    TRY(evaluated_functions_next(&n, f, first, err));
    const struct prompt_view prompts = source_draw(f->source, first, n);
    memcpy(p->parameters + first * p->targets, source_parameters(f->source),
           n * p->targets * sizeof *p->parameters);
    if (p->reads_states) {
        query_states_run(&p->states, &prompts, NULL, NULL, first);
    } else {
        const struct basis basis = function_basis_find(&f->basis, NULL, first, n);
        TRY(vector_features_add(&p->vectors, &basis, f->method.fitted.w, first, n, err));
    }
    TRY(job_progress(f->ctx, (double)(first + n), 2 * (double)f->functions, err));
cleanup:
    return rc;
}

static size_t numbers_of(const struct probe *p, size_t l) {
    const struct model_dims *d = &p->f.model.params.dims;
    if (p->reads_states) return l < d->L ? d->E : d->L * d->E;
    return l < d->L ? p->vectors.width[l] : p->vectors.all;
}

/* p->x: the numbers of layer l, or of all for l = L. */
static void copy_features(struct probe *p, size_t l) {
    const struct model_dims *d = &p->f.model.params.dims;
    const size_t n = p->f.functions, width = numbers_of(p, l), from = l < d->L ? l : 0;
    if (!p->reads_states) {
        vector_features_layer(p->x, &p->vectors, l);
        return;
    }
    for (size_t i = 0; i < width / d->E; i++) {
        const float *states = query_states_at(&p->states, 0, from + i);
        for (size_t r = 0; r < n; r++)
            for (size_t e = 0; e < d->E; e++)
                p->x[r * width + i * d->E + e] = (double)states[r * d->E + e];
    }
}

/* 1 minus the ratio of sums, so that the ends of its interval change places. */
static enum err_code find_interval(struct interval *out, struct probe *p,
                                   const struct ridge_probe *found, size_t test, struct err *err) {
    enum err_code rc = ERR_OK;
    struct resamples resamples;
    struct interval ratio;
    TRY(resampler_get(&resamples, &p->resampler, 1, test, err));
    TRY(bootstrap_ratio(&ratio, found->error, found->spread, &resamples,
                        config_float(p->f.ctx->point, "confidence"), err));
    *out = (struct interval){found->r2, 1 - ratio.high, 1 - ratio.low};
cleanup:
    return rc;
}

static enum err_code regress(struct ridge_probe *found, struct interval *r2, struct probe *p,
                             size_t l, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = p->f.functions;
    const struct ridge_probe_data d = {.train = probe_train(n),
                                       .validation = probe_held_out(n),
                                       .test = probe_held_out(n),
                                       .features = numbers_of(p, l),
                                       .targets = p->targets,
                                       .x = p->x,
                                       .y = p->y};
    *r2 = (struct interval){(double)NAN, (double)NAN, (double)NAN};
    *found = (struct ridge_probe){.penalty = (double)NAN, .validation_r2 = (double)NAN};
    if (d.features == 0) return ERR_OK;
    copy_features(p, l);
    TRY(ridge_probe_run(found, &d, err));
    TRY(find_interval(r2, p, found, d.test, err));
cleanup:
    return rc;
}

static enum err_code write_probe_row(struct probe *p, size_t l, const struct ridge_probe *found,
                                     const struct interval *r2, struct err *err) {
    const struct evaluated_functions *f = &p->f;
    const struct evaluated_method *m = &f->method;
    const struct probe_row row = {
        .method = evaluated_method_name(m),
        .reading = m->reading,
        .fit_points = evaluated_method_fit_points(m),
        .repeat = evaluated_method_repeat(m),
        .source = source_info(f->source)->name,
        .features = p->reads_states ? "state" : "vector",
        .basis_points = (int64_t)f->T0,
        .layer = l < f->model.params.dims.L ? (int64_t)l : JOB_NO_INT,
        .numbers = (int64_t)numbers_of(p, l),
        .targets = (int64_t)p->targets,
        .train = (int64_t)probe_train(f->functions),
        .test = (int64_t)probe_held_out(f->functions),
        .penalty = found->penalty,
        .validation_r2 = found->validation_r2,
        .r2 = r2->value,
        .r2_low = r2->low,
        .r2_high = r2->high,
        .wpe_seed = (int64_t)job_model_wpe_seed(f->ctx->point, m->fit ? m->fit->point : NULL),
    };
    return probe_row_write(f->ctx, l, &row, err);
}

/* Of the regression on all layers, whose features are in p->x. */
static enum err_code write_features(struct probe *p, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = p->f.functions, width = numbers_of(p, p->f.model.params.dims.L);
    float *features = calloc(n * width, sizeof *features);
    CHECK(features, ERR_MEMORY, "no memory for %zu x %zu numbers", n, width);
    for (size_t i = 0; i < n * width; i++) features[i] = (float)p->x[i];
    const struct job_tensor t = {"features", 2, {n, width}, features};
    TRY(job_tensor(p->f.ctx, &t, err));
cleanup:
    free(features);
    return rc;
}

static enum err_code write_predictions(struct probe *p, const struct ridge_probe *found,
                                       struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = p->f.functions, test = probe_held_out(n), Q = p->targets;
    float *predicted = calloc(test * Q, sizeof *predicted);
    CHECK(predicted, ERR_MEMORY, "no memory for %zu predictions", test * Q);
    for (size_t i = 0; i < test * Q; i++) predicted[i] = (float)found->prediction[i];
    const struct job_tensor t = {"predicted", 2, {test, Q}, predicted};
    TRY(job_tensor(p->f.ctx, &t, err));
    if (config_list_size(p->f.ctx->point, "keep") > 0) TRY(write_features(p, err));
cleanup:
    free(predicted);
    return rc;
}

static enum err_code probe_layer(struct probe *p, size_t l, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t L = p->f.model.params.dims.L, n = p->f.functions;
    struct ridge_probe found = {0};
    struct interval r2;
    TRY(regress(&found, &r2, p, l, err));
    TRY(write_probe_row(p, l, &found, &r2, err));
    if (l == L && found.prediction) TRY(write_predictions(p, &found, err));
    TRY(job_progress(p->f.ctx, (double)n + (double)(n * (l + 1)) / (double)(L + 1), 2 * (double)n,
                     err));
cleanup:
    ridge_probe_release(&found);
    return rc;
}

enum err_code probe_run(struct job_ctx *ctx, struct err *err) {
    struct probe p;
    enum err_code rc = probe_init(&p, ctx, err);
    if (rc != ERR_OK) return rc;
    const size_t L = p.f.model.params.dims.L, n = p.f.functions;
    for (size_t first = 0; first < n; first += p.f.chunk) TRY(read_chunk(&p, first, err));
    p.x = calloc(n * numbers_of(&p, L) + 1, sizeof *p.x);
    CHECK(p.x, ERR_MEMORY, "no memory for %zu x %zu numbers", n, numbers_of(&p, L));
    for (size_t i = 0; i < n * p.targets; i++) p.y[i] = (double)p.parameters[i];
    for (size_t l = 0; l <= L; l++) TRY(probe_layer(&p, l, err));
    const struct job_tensor parameters = {"parameters", 2, {n, p.targets}, p.parameters};
    TRY(job_tensor(ctx, &parameters, err));
cleanup:
    probe_release(&p);
    return rc;
}
