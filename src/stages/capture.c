/*
 * capture - saves the activations of heads, attention blocks and residual stream at the query.
 *
 * Prompts are of the split "capture"; the query is the last x, after points - 1 examples. The
 * artifact has the prompts and what their functions are, so that a probe can be trained on it.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/query.h"
#include "ops/vector_ops.h"
#include "passes/flops.h"
#include "sources/prompt_batch.h"
#include "sources/source_registry.h"
#include "stages/capture_rows.h"
#include "stages/job_model.h"
#include "stages/shared_keys.h"

enum what { HEADS, ATTENTION, HIDDEN, WHATS };
static const char *const NAMES[] = {"heads", "attention", "hidden", NULL};

static const struct config_key KEYS[] = {
    {
        .name = "points",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .min = 1,
        .max = 1e6,
        .unit = "points",
        .meaning = "Points per prompt; the query is the last x.",
    },
    {
        .name = "prompts",
        .type = CONFIG_INT,
        .min = 1,
        .max = 1e7,
        .def = "128",
        .unit = "prompts",
        .meaning = "Number of prompts to capture.",
    },
    {
        .name = "chunk",
        .type = CONFIG_INT,
        .min = 1,
        .max = 1e5,
        .def = "128",
        .unit = "prompts",
        .meaning = "Number of prompts that pass through the model together.",
    },
    {
        .name = "what",
        .type = CONFIG_NAME,
        .flags = CONFIG_LIST,
        .def = "[\"heads\", \"attention\", \"hidden\"]",
        .choices = NAMES,
        .unit = "",
        .meaning = "Activations to save: outputs of the heads before the output projection, of the "
                   "attention blocks, and the residual stream after each block.",
    },
};

/* What the prompts are; each row belongs to one prompt. */
struct capture_prompts {
    float *x;         /* [n, points, dims] */
    float *y;         /* [n, points] */
    float *functions; /* [n, parameters]; NULL: the source has no functions */
    float *position;  /* [n] token of the query in its prompt, from 0 */
    size_t dims, parameters;
};

struct capture {
    struct job_ctx *ctx;
    size_t points, n, chunk;
    struct model model;
    struct context_share share;
    struct source *source;     /* draws a chunk */
    struct prompt_batch batch; /* slots and rows: [chunk] */
    struct query query;
    float *kept[WHATS]; /* [n, L or L + 1, E]; NULL: not wanted */
    struct capture_prompts prompts;
};

static size_t kept_layers(enum what w, const struct model_dims *d) {
    return w == HIDDEN ? d->L + 1 : d->L;
}

static bool wanted(const struct config_point *point, enum what w) {
    for (size_t i = 0; i < config_list_size(point, "what"); i++)
        if (strcmp(config_list_text(point, "what", i), NAMES[w]) == 0) return true;
    return false;
}

static void capture_release(struct capture *c) {
    free(c->prompts.x);
    free(c->prompts.y);
    free(c->prompts.functions);
    free(c->prompts.position);
    for (size_t w = 0; w < WHATS; w++) free(c->kept[w]);
    query_destroy(&c->query);
    prompt_batch_destroy(&c->batch);
    source_close(c->source);
    model_close(&c->model);
}

static enum err_code create_kept(struct capture *c, struct err *err) {
    const struct model_dims *d = &c->model.params.dims;
    for (enum what w = 0; w < WHATS; w++) {
        if (!wanted(c->ctx->point, w)) continue;
        c->kept[w] = calloc(c->n * kept_layers(w, d) * d->E, sizeof(float));
        if (!c->kept[w])
            return ERR(err, ERR_MEMORY, "no memory for '%s' of %zu prompts", NAMES[w], c->n);
    }
    return ERR_OK;
}

static size_t prompt_numbers(const struct source_info *info, size_t points) {
    const size_t parameters = info->functions ? info->functions->parameters : 0;
    return points * (info->inputs + 1) + parameters + 1;
}

static enum err_code create_prompts(struct capture *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct source_info *info = source_info(c->source);
    struct capture_prompts *p = &c->prompts;
    p->dims = info->inputs;
    p->parameters = info->functions ? info->functions->parameters : 0;
    p->x = calloc(c->n * c->points * p->dims, sizeof *p->x);
    p->y = calloc(c->n * c->points, sizeof *p->y);
    p->functions = p->parameters > 0 ? calloc(c->n * p->parameters, sizeof *p->functions) : NULL;
    p->position = calloc(c->n, sizeof *p->position);
    CHECK(p->x && p->y && p->position && (p->functions || p->parameters == 0), ERR_MEMORY,
          "no memory for %zu prompts", c->n);
cleanup:
    return rc;
}

static struct prompt_batch_options capture_batch_options(const struct config_point *point,
                                                         const struct model_dims *d) {
    const size_t chunk = shared_keys_chunk(point, shared_keys_size(point, "prompts"));
    return (struct prompt_batch_options){.dims = d,
                                         .slots = chunk,
                                         .tokens = 2 * (shared_keys_size(point, "points") - 1),
                                         .rows = chunk,
                                         .contexts = shared_keys_contexts(point)};
}

static enum err_code capture_init(struct capture *c, struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    *c = (struct capture){.ctx = ctx,
                          .points = shared_keys_size(ctx->point, "points"),
                          .n = shared_keys_size(ctx->point, "prompts")};
    c->chunk = shared_keys_chunk(ctx->point, c->n);
    TRY(job_model_open(&c->model, ctx, err));
    const struct model_dims *d = &c->model.params.dims;
    struct prompt_batch_options batch = capture_batch_options(ctx->point, d);
    batch.share = job_model_share(&c->share, ctx, &c->model);
    TRY(prompt_batch_create(&c->batch, &batch, err));
    TRY(query_create(&c->query, d, c->chunk, batch.tokens, false, err));
    TRY(create_kept(c, err));
cleanup:
    if (rc != ERR_OK) capture_release(c);
    return rc;
}

/* The prompts of the last draw become rows first .. first + n - 1. */
static void keep_prompts(struct capture *c, size_t first, const struct prompt_view *drawn) {
    struct capture_prompts *p = &c->prompts;
    const size_t all = drawn->n * c->points;
    memcpy(p->x + first * c->points * p->dims, drawn->x, all * p->dims * sizeof *p->x);
    memcpy(p->y + first * c->points, drawn->y, all * sizeof *p->y);
    if (p->functions)
        memcpy(p->functions + first * p->parameters, source_parameters(c->source),
               drawn->n * p->parameters * sizeof *p->functions);
    for (size_t i = 0; i < drawn->n; i++)
        p->position[first + i] =
            (float)prompt_span_tokens((struct prompt_span){.pairs = c->points - 1});
}

/* Runs the contexts and the queries of all prompts at their last point. */
static void ask_last(struct capture *c, const struct prompt_view *prompts) {
    const struct params *p = &c->model.params;
    const struct prompt_span before = {.pairs = c->points - 1};
    prompt_batch_begin(&c->batch, p, NULL);
    prompt_batch_fill(&c->batch, prompts, before);
    prompt_batch_ask(&c->batch, prompts, c->points - 1, prompt_span_tokens(before));
    const struct query_rows rows = prompt_rows_of(&c->batch.rows, prompts->n);
    query_forward(&c->query, p, &c->batch.context, &rows, &(struct edits){0});
}

/* Copies row i of layer l of the query pass to [first + i, l] of each kept array. */
static void keep(struct capture *c, size_t first, size_t n) {
    const struct model_dims *d = &c->model.params.dims;
    const float *from[WHATS] = {c->query.z, c->query.a, c->query.x};
    for (enum what w = 0; w < WHATS; w++) {
        size_t layers = kept_layers(w, d);
        if (!c->kept[w]) continue;
        for (size_t i = 0; i < n; i++)
            for (size_t l = 0; l < layers; l++)
                memcpy(c->kept[w] + ((first + i) * layers + l) * d->E,
                       from[w] + (l * c->query.capacity + i) * d->E, d->E * sizeof(float));
    }
}

static enum err_code capture_all(struct capture *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct source_options o = {.seed = c->ctx->seed, .split = "capture"};
    TRY(source_open(&c->source, c->ctx->point, &o, err));
    TRY(source_reserve(c->source, c->chunk, c->points, err));
    TRY(create_prompts(c, err));
    for (size_t first = 0; first < c->n; first += c->chunk) {
        size_t n = c->n - first < c->chunk ? c->n - first : c->chunk;
        if (job_should_stop(c->ctx))
            return ERR(err, ERR_STOPPED, "stopped after %zu prompts", first);
        const struct prompt_view prompts = source_draw(c->source, first, n);
        ask_last(c, &prompts);
        keep(c, first, n);
        keep_prompts(c, first, &prompts);
        TRY(job_progress(c->ctx, (double)(first + n), (double)c->n, err));
    }
cleanup:
    return rc;
}

/* Mean over prompts of the Euclidean norm at layer l; NaN if the array is not kept. */
static double mean_norm(const struct capture *c, enum what w, size_t l) {
    const struct model_dims *d = &c->model.params.dims;
    size_t layers = kept_layers(w, d);
    double sum = 0;
    if (!c->kept[w]) return (double)NAN;
    for (size_t i = 0; i < c->n; i++)
        sum += vector_norm(c->kept[w] + (i * layers + l) * d->E, d->E);
    return sum / (double)c->n;
}

static enum err_code write_prompts(struct capture *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct capture_prompts *p = &c->prompts;
    const struct job_tensor all[] = {{"x", 3, {c->n, c->points, p->dims}, p->x},
                                     {"y", 2, {c->n, c->points}, p->y},
                                     {"position", 1, {c->n}, p->position},
                                     {"function", 2, {c->n, p->parameters}, p->functions}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].data) TRY(job_tensor(c->ctx, &all[i], err));
cleanup:
    return rc;
}

static enum err_code write_results(struct capture *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &c->model.params.dims;
    for (size_t l = 0; l < d->L; l++) {
        const struct capture_row row = {
            .points = (int64_t)c->points,
            .layer = (int64_t)l,
            .heads_norm = mean_norm(c, HEADS, l),
            .attention_norm = mean_norm(c, ATTENTION, l),
            .hidden_norm = mean_norm(c, HIDDEN, l + 1),
        };
        TRY(capture_row_write(c->ctx, l, &row, err));
    }
    for (enum what w = 0; w < WHATS; w++) {
        const struct job_tensor t = {NAMES[w], 3, {c->n, kept_layers(w, d), d->E}, c->kept[w]};
        if (c->kept[w]) TRY(job_tensor(c->ctx, &t, err));
    }
    TRY(write_prompts(c, err));
cleanup:
    return rc;
}

static enum err_code capture_run(struct job_ctx *ctx, struct err *err) {
    struct capture c;
    enum err_code rc = capture_init(&c, ctx, err);
    if (rc != ERR_OK) return rc;
    TRY(capture_all(&c, err));
    TRY(write_results(&c, err));
cleanup:
    capture_release(&c);
    return rc;
}

static enum err_code capture_plan(struct job_cost *cost, const struct config_point *point,
                                  const char *control, const struct stage_parent *parents, size_t n,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    struct job_model model;
    struct source *source = NULL;
    size_t points = shared_keys_size(point, "points"), prompts = shared_keys_size(point, "prompts");
    size_t chunk = shared_keys_chunk(point, prompts);
    (void)control;
    CHECK_CONFIG(config_list_size(point, "what") > 0, point, "what",
                 "[] saves nothing: name one or more of heads, attention, hidden");
    TRY(job_model_plan(&model, point, parents, n, err));
    const struct model_dims *d = &model.dims;
    TRY(source_open(&source, point, &(struct source_options){0}, err));
    TRY(source_check(source, point, d->inputs, err));
    TRY(shared_keys_check_points(point, "points", points, d, err));
    TRY(shared_keys_check_room(point, chunk, points, d, err));
    double tokens = 2 * (double)points;
    *cost = (struct job_cost){.group = 1, .work = (double)prompts, .unit = "prompts"};
    flops_add_contexts(&cost->load, d, (double)prompts, tokens);
    flops_add_queries(&cost->load, d, (double)prompts, tokens);
    const struct prompt_batch_options batch = capture_batch_options(point, d);
    cost->memory =
        (double)(prompt_batch_bytes(&batch) + prompt_batch_context_bytes(&batch) +
                 query_bytes(d, chunk, batch.tokens, false) + source_bytes(source, chunk, points) +
                 (prompts * ((3 * d->L + 1) * d->E + prompt_numbers(source_info(source), points)) +
                  params_count(d)) *
                     sizeof(float));
    cost->memory_least = cost->memory;
    cost->shared = cost->load.contexts;
    cost->context_bytes =
        ceil((double)prompts / (double)chunk) * (double)prompt_batch_context_bytes(&batch);
    (void)snprintf(cost->context_of, sizeof cost->context_of, "capture");
    (void)snprintf(cost->summary, sizeof cost->summary, "%zu prompt%s x %zu point%s", prompts,
                   text_plural(prompts), points, text_plural(points));
cleanup:
    source_close(source);
    return rc;
}

ROW_DEFINE(capture_row, CAPTURE_ROW);

static const char *const PARENTS[] = {"pretrain", NULL};
static const char *const CONTEXT_KEYS[] = {"!what", "!model.", NULL};

extern const struct stage stage_capture;
const struct stage stage_capture = {
    .name = "capture",
    .meaning = "Save prompts, and the head outputs, attention outputs and residual stream at their "
               "query.",
    .version = 5,
    .uses = STAGE_USES_MODEL | STAGE_USES_SOURCE | STAGE_USES_CONTEXTS,
    .parents = PARENTS,
    .context_keys = CONTEXT_KEYS,
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .columns = &capture_row_columns,
    .plan = capture_plan,
    .run = capture_run,
};
