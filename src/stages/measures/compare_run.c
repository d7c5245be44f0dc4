#include "stages/measures/compare_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "measures/alignment.h"
#include "stages/job_model.h"
#include "stages/measures/compare_rows.h"
#include "stages/measures/evaluated_functions.h"
#include "stages/shared_keys.h"
#include "stats/interval.h"
#include "stats/moments.h"

/* The reference is k[0], the plain model in range; what is compared are k[1] and the following. */
void compare_keys_read(struct compare_keys *c, const struct config_point *point,
                       const struct model_dims *dims, size_t trained_points) {
    const size_t given = shared_keys_size(point, "reference"),
                 axes = shared_keys_size(point, "axes");
    const size_t n = config_list_size(point, "k");
    *c = (struct compare_keys){.n_k = 1, .confidence = config_float(point, "confidence")};
    c->axes = axes < dims->E ? axes : dims->E;
    c->keeps_states = config_list_size(point, "keep") > 0;
    c->k[0] = given > 0 || trained_points == 0 ? given : trained_points - 1;
    for (size_t i = 0; i < n && c->n_k < QUERY_STATES_MOST; i++)
        c->k[c->n_k++] = (size_t)config_list_int(point, "k", i);
    for (size_t i = 0; i < c->n_k; i++)
        if (c->k[i] >= c->points) c->points = c->k[i] + 1;
}

enum { METHOD, REFERENCE, PLAIN, CLOUDS };

struct compare {
    struct evaluated_functions f;
    struct compare_keys keys;
    bool is_plain; /* the job is that of the control `plain`: no method to compare */
    struct method_setup plain_setup;
    struct query_states plain, method; /* of k[0] and all k; of all k but the first */
    struct cloud cloud[CLOUDS];
    float *errors;           /* [2 n_k - 1, functions]: of plain, then of the method */
    float *leading;          /* [sets, L, functions] */
    float *cosines;          /* [rows, axes] */
    double *angles, *change; /* [axes], [functions] */
};

static size_t references(const struct compare *c) { return c->is_plain ? 1 : 2; }
static size_t layers_of(const struct compare *c) { return c->f.model.params.dims.L; }
static size_t sets_of(const struct compare *c) {
    return c->keys.n_k + (c->is_plain ? 0 : c->keys.n_k - 1);
}

static void compare_release(struct compare *c) {
    free(c->change);
    free(c->angles);
    free(c->cosines);
    free(c->leading);
    free(c->errors);
    for (size_t i = 0; i < CLOUDS; i++) cloud_destroy(&c->cloud[i]);
    query_states_destroy(&c->method);
    query_states_destroy(&c->plain);
    evaluated_functions_close(&c->f);
}

static enum err_code create_compare_arrays(struct compare *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = c->f.functions, L = layers_of(c), E = c->f.model.params.dims.E;
    const size_t rows = (c->keys.n_k - 1) * references(c) * L;
    c->errors = calloc(2 * c->keys.n_k * n, sizeof *c->errors);
    c->leading = calloc(sets_of(c) * L * n, sizeof *c->leading);
    c->cosines = calloc(rows * c->keys.axes, sizeof *c->cosines);
    c->angles = calloc(c->keys.axes, sizeof *c->angles);
    c->change = calloc(n, sizeof *c->change);
    CHECK(c->errors && c->leading && c->cosines && c->angles && c->change, ERR_MEMORY,
          "no memory for the measures of %zu functions", n);
    for (size_t i = 0; i < CLOUDS; i++) TRY(cloud_create(&c->cloud[i], n, E, err));
cleanup:
    return rc;
}

static enum err_code create_states(struct compare *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct evaluated_functions *f = &c->f;
    const char *source = source_info(f->source)->name;
    struct curve_options o = {.setup = &f->method.fitted.setup,
                              .chunk = f->chunk,
                              .points = c->keys.points,
                              .window_points = f->T0,
                              .trained_points = f->trained_points,
                              .contexts = f->contexts,
                              .share = job_model_share(&c->f.share, f->ctx, &f->model),
                              .control = f->method.control,
                              .stream = evaluated_method_stream(&f->method, f->ctx->seed, source)};
    if (!c->is_plain)
        TRY(query_states_create(&c->method, &o, c->keys.k + 1, c->keys.n_k - 1, f->functions, err));
    method_setup_named(&c->plain_setup, "plain", &f->model.params);
    o.setup = &c->plain_setup;
    o.control = NULL;
    TRY(query_states_create(&c->plain, &o, c->keys.k, c->keys.n_k, f->functions, err));
cleanup:
    return rc;
}

static enum err_code compare_init(struct compare *c, struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    struct model model;
    *c = (struct compare){.is_plain = !job_model_fit_input(ctx) && ctx->control &&
                                      strcmp(ctx->control, "plain") == 0};
    TRY(job_model_open(&model, ctx, err)); /* for its trained points, before prompts are drawn */
    compare_keys_read(&c->keys, ctx->point, &model.params.dims, model.trained_points);
    model_close(&model);
    TRY(evaluated_functions_open(&c->f, ctx, c->keys.points, err));
    TRY(create_states(c, err));
    TRY(create_compare_arrays(c, err));
cleanup:
    if (rc != ERR_OK) compare_release(c);
    return rc;
}

/* ---- the states */

static void take_errors(struct compare *c, const struct query_states *s, float *to,
                        const struct prompt_view *prompts, size_t first) {
    const struct prompt_loss *loss = &source_info(c->f.source)->loss;
    const size_t points = c->keys.points, n = c->f.functions;
    const float *wanted = prompt_view_targets(prompts) + points - 1;
    for (size_t i = 0; i < s->n_k; i++)
        for (size_t j = 0; j < prompts->n; j++)
            to[i * n + first + j] =
                prompt_loss_error(loss, s->prediction[i * n + first + j], wanted[j * points]);
}

static enum err_code run_chunk(struct compare *c, size_t first, struct err *err) {
    enum err_code rc = ERR_OK;
    struct evaluated_functions *f = &c->f;
    size_t n;
    TRY(evaluated_functions_next(&n, f, first, err));
    const struct prompt_view prompts = source_draw(f->source, first, n);
    query_states_run(&c->plain, &prompts, NULL, NULL, first);
    take_errors(c, &c->plain, c->errors, &prompts, first);
    if (!c->is_plain) {
        const struct basis basis = function_basis_find(&f->basis, NULL, first, n);
        query_states_run(&c->method, &prompts, &basis, f->method.fitted.w, first);
        take_errors(c, &c->method, c->errors + c->keys.n_k * f->functions, &prompts, first);
    }
    TRY(job_progress(f->ctx, (double)(first + n), 2.0 * (double)f->functions, err));
cleanup:
    return rc;
}

/* ---- the measures */

static const float *errors_at(const struct compare *c, bool method, size_t i) {
    const size_t set = method ? c->keys.n_k + i - 1 : i;
    return c->errors + set * c->f.functions;
}

/* Measures the states at k[i] after block l, and stores their leading vector. */
static enum err_code measure_cloud(struct compare *c, size_t which, size_t i, size_t l,
                                   struct err *err) {
    const struct query_states *s = which == METHOD ? &c->method : &c->plain;
    const size_t set = which == METHOD ? c->keys.n_k + i - 1 : i, n = c->f.functions;
    struct cloud *cloud = &c->cloud[which];
    const float *states = query_states_at(s, which == METHOD ? i - 1 : i, l);
    float *leading = c->leading + (set * layers_of(c) + l) * n;
    for (size_t e = 0; e < n * cloud->E; e++) cloud->x[e] = (double)states[e];
    const enum err_code rc = cloud_measure(cloud, err);
    for (size_t j = 0; rc == ERR_OK && j < n; j++) leading[j] = (float)cloud->leading[j];
    return rc;
}

static struct interval change_at(struct compare *c, size_t i) {
    const size_t n = c->f.functions;
    const float *method = errors_at(c, true, i), *plain = errors_at(c, false, i);
    for (size_t j = 0; j < n; j++) c->change[j] = (double)method[j] - (double)plain[j];
    return interval_t(c->change, n, c->keys.confidence);
}

static double error_at(struct compare *c, size_t i) {
    const float *errors = errors_at(c, !c->is_plain, i);
    for (size_t j = 0; j < c->f.functions; j++) c->change[j] = (double)errors[j];
    return moments_of(c->change, c->f.functions).mean;
}

static void fill_setting(struct compare_row *row, const struct compare *c) {
    const struct evaluated_method *m = &c->f.method;
    const struct source_info *source = source_info(c->f.source);
    row->method = evaluated_method_name(m);
    row->reading = m->reading;
    row->fit_points = evaluated_method_fit_points(m);
    row->repeat = evaluated_method_repeat(m);
    row->source = source->name;
    row->shift = source->shift;
    row->shift_level = source->shift_level;
    row->functions = (int64_t)c->f.functions;
    row->wpe_seed = (int64_t)job_model_wpe_seed(c->f.ctx->point, m->fit ? m->fit->point : NULL);
}

struct compare_place {      /* of a row */
    size_t i, reference, l; /* k[i]; 0: in range, 1: at the same k */
};

static void fill_errors(struct compare_row *row, struct compare *c, size_t i) {
    const struct interval none = {(double)NAN, (double)NAN, (double)NAN};
    const struct interval change = c->is_plain ? none : change_at(c, i);
    row->mse = error_at(c, i);
    row->mse_change = change.value;
    row->change_low = change.low;
    row->change_high = change.high;
}

static enum err_code write_compare_row(struct compare *c, const struct compare_place *at,
                                       struct err *err) {
    enum err_code rc = ERR_OK;
    struct alignment found;
    const struct cloud *own = &c->cloud[c->is_plain ? PLAIN : METHOD],
                       *other = &c->cloud[at->reference == 0 ? REFERENCE : PLAIN];
    const size_t number = ((at->i - 1) * references(c) + at->reference) * layers_of(c) + at->l;
    float *cosines = c->cosines + number * c->keys.axes;
    TRY(alignment_of(&found, c->angles, own, other, c->keys.axes, err));
    for (size_t i = 0; i < c->keys.axes; i++) cosines[i] = (float)c->angles[i];
    struct compare_row row = {
        .k = (int64_t)c->keys.k[at->i],
        .reference = at->reference == 0 ? "in_range" : "same_k",
        .reference_k = (int64_t)c->keys.k[at->reference == 0 ? 0 : at->i],
        .layer = (int64_t)at->l,
        .wasserstein = found.wasserstein,
        .kolmogorov_smirnov = found.kolmogorov_smirnov,
        .frechet = found.frechet,
        .mean_shift = found.mean_shift,
        .cka = found.cka,
        .overlap = found.overlap,
        .angle = found.angle,
        .explained = cloud_explained(own, c->keys.axes),
    };
    fill_setting(&row, c);
    fill_errors(&row, c, at->i);
    TRY(compare_row_write(c->f.ctx, number, &row, err));
cleanup:
    return rc;
}

/* All rows of k[i]: at each layer one for each reference. */
static enum err_code compare_layer(struct compare *c, size_t i, size_t l, struct err *err) {
    enum err_code rc = ERR_OK;
    const double n = (double)c->f.functions, total = (double)((c->keys.n_k - 1) * layers_of(c));
    const double done = (double)((i - 1) * layers_of(c) + l + 1);
    TRY(measure_cloud(c, REFERENCE, 0, l, err));
    TRY(measure_cloud(c, PLAIN, i, l, err));
    if (!c->is_plain) TRY(measure_cloud(c, METHOD, i, l, err));
    for (size_t reference = 0; reference < references(c); reference++)
        TRY(write_compare_row(c, &(struct compare_place){i, reference, l}, err));
    TRY(job_progress(c->f.ctx, n + n * done / total, 2 * n, err));
cleanup:
    return rc;
}

static enum err_code compare_all(struct compare *c, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t i = 1; i < c->keys.n_k; i++)
        for (size_t l = 0; l < layers_of(c); l++) TRY(compare_layer(c, i, l, err));
cleanup:
    return rc;
}

/* ---- results */

/* "plain k=15; plain k=30; ltv k=30": the sets of the tensors, in their order. */
static enum err_code note_sets(const struct compare *c, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text sets = {0};
    for (size_t i = 0; i < c->keys.n_k; i++)
        text_add(&sets, "%splain k=%zu", i ? "; " : "", c->keys.k[i]);
    for (size_t i = 1; i < c->keys.n_k && !c->is_plain; i++)
        text_add(&sets, "; %s k=%zu", evaluated_method_name(&c->f.method), c->keys.k[i]);
    TRY(text_check(&sets, err));
    TRY(job_note(c->f.ctx, "sets", text_str(&sets), err));
cleanup:
    text_release(&sets);
    return rc;
}

static enum err_code write_states(const struct compare *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t L = layers_of(c), n = c->f.functions, E = c->f.model.params.dims.E;
    const struct job_tensor plain = {"states_plain", 4, {c->keys.n_k, L, n, E}, c->plain.states};
    const struct job_tensor method = {
        "states_method", 4, {c->keys.n_k - 1, L, n, E}, c->method.states};
    TRY(job_tensor(c->f.ctx, &plain, err));
    if (!c->is_plain) TRY(job_tensor(c->f.ctx, &method, err));
cleanup:
    return rc;
}

static enum err_code write_tensors(const struct compare *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t L = layers_of(c), n = c->f.functions;
    const struct job_tensor all[] = {
        {"leading", 3, {sets_of(c), L, n}, c->leading},
        {"cosines", 4, {c->keys.n_k - 1, references(c), L, c->keys.axes}, c->cosines},
        {"errors", 2, {sets_of(c), n}, c->errors},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) TRY(job_tensor(c->f.ctx, &all[i], err));
    if (c->keys.keeps_states) TRY(write_states(c, err));
    TRY(note_sets(c, err));
cleanup:
    return rc;
}

enum err_code compare_run(struct job_ctx *ctx, struct err *err) {
    struct compare c;
    enum err_code rc = compare_init(&c, ctx, err);
    if (rc != ERR_OK) return rc;
    for (size_t first = 0; first < c.f.functions; first += c.f.chunk)
        TRY(run_chunk(&c, first, err));
    TRY(compare_all(&c, err));
    TRY(write_tensors(&c, err));
cleanup:
    compare_release(&c);
    return rc;
}
