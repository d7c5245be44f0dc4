/*
 * capture - saves the activations of heads, attention blocks and residual stream at the query.
 *
 * Prompts are of the split "capture"; the query is the last x, after points - 1 examples. The
 * artifact has the prompts and what their functions are, so that a probe can be trained on it. Of
 * text, test pairs are asked, and the query is the last token before the answer.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/length.h"
#include "model/query.h"
#include "ops/vector_ops.h"
#include "passes/flops.h"
#include "sources/prompt_batch.h"
#include "sources/source_registry.h"
#include "stages/capture_prompts.h"
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
    SHARED_KEY_CHUNK("Number of prompts that pass through the model together."),
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

struct capture {
    struct job_ctx *ctx;
    size_t points, n, chunk;
    size_t rows; /* prompts that were captured: of text, n but for those that are too long */
    struct model model;
    struct context_share share;
    struct source *source;     /* draws a chunk */
    struct prompt_batch batch; /* slots and rows: [chunk] */
    struct query query;
    float *kept[WHATS]; /* [n, L or L + 1, width of the layer]; NULL: not wanted */
    struct capture_prompts prompts;
};

static size_t kept_layers(enum what w, const struct model_dims *d) {
    return w == HIDDEN ? d->L + 1 : d->L;
}

static size_t kept_width(enum what w, const struct model_dims *d) {
    return w == HEADS ? model_heads_width(d) : d->E;
}

static bool wanted(const struct config_point *point, enum what w) {
    for (size_t i = 0; i < config_list_size(point, "what"); i++)
        if (strcmp(config_list_text(point, "what", i), NAMES[w]) == 0) return true;
    return false;
}

static void capture_release(struct capture *c) {
    capture_prompts_destroy(&c->prompts);
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
        c->kept[w] = calloc(c->n * kept_layers(w, d) * kept_width(w, d), sizeof(float));
        if (!c->kept[w])
            return ERR(err, ERR_MEMORY, "no memory for '%s' of %zu prompts", NAMES[w], c->n);
    }
    return ERR_OK;
}

static struct source_options capture_source(uint64_t seed, const struct model_dims *d) {
    return (struct source_options){
        .seed = seed, .split = "capture", .asked = SOURCE_TEST, .most_tokens = length_most(d)};
}

static struct source_range capture_range(const struct config_point *point,
                                         const struct model_dims *d) {
    return (struct source_range){.n = shared_keys_size(point, "prompts"),
                                 .points = shared_keys_size(point, "points"),
                                 .most_tokens = length_most(d)};
}

static struct prompt_batch_options capture_batch_options(const struct config_point *point,
                                                         const struct model_dims *d,
                                                         const struct source_lengths *lengths) {
    const size_t chunk = shared_keys_chunk(point, shared_keys_size(point, "prompts"));
    return (struct prompt_batch_options){.dims = d,
                                         .slots = chunk,
                                         .tokens = lengths->prompt - 1,
                                         .rows = chunk,
                                         .contexts = shared_keys_contexts(point)};
}

static enum err_code open_prompts(struct capture *c, struct source_lengths *lengths,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &c->model.params.dims;
    const struct source_options o = capture_source(c->ctx->seed, d);
    const struct source_range range = capture_range(c->ctx->point, d);
    TRY(source_open(&c->source, c->ctx->point, &o, err));
    TRY(source_measure(lengths, c->source, &range, err));
    TRY(source_check_lengths(c->source, c->ctx->point, &range, lengths, err));
    TRY(source_reserve(c->source, c->chunk, c->points, err));
    TRY(capture_prompts_create(&c->prompts, source_info(c->source), lengths, c->n, c->points, err));
cleanup:
    return rc;
}

static enum err_code capture_init(struct capture *c, struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    struct source_lengths lengths;
    *c = (struct capture){.ctx = ctx,
                          .points = shared_keys_size(ctx->point, "points"),
                          .n = shared_keys_size(ctx->point, "prompts")};
    c->chunk = shared_keys_chunk(ctx->point, c->n);
    TRY(job_model_open(&c->model, ctx, err));
    TRY(open_prompts(c, &lengths, err));
    const struct model_dims *d = &c->model.params.dims;
    struct prompt_batch_options batch = capture_batch_options(ctx->point, d, &lengths);
    batch.share = job_model_share(&c->share, ctx, &c->model);
    TRY(prompt_batch_create(&c->batch, &batch, err));
    TRY(query_create(&c->query, d, c->chunk, batch.tokens, false, err));
    TRY(create_kept(c, err));
cleanup:
    if (rc != ERR_OK) capture_release(c);
    return rc;
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
        const size_t layers = kept_layers(w, d), width = kept_width(w, d);
        if (!c->kept[w]) continue;
        for (size_t i = 0; i < n; i++)
            for (size_t l = 0; l < layers; l++)
                memcpy(c->kept[w] + ((first + i) * layers + l) * width,
                       from[w] + (l * c->query.capacity + i) * width, width * sizeof(float));
    }
}

static enum err_code capture_chunk(struct capture *c, size_t first, size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct prompt_view prompts = source_draw(c->source, first, n);
    TRY(source_status(c->source, err));
    if (prompts.n > 0) ask_last(c, &prompts);
    keep(c, c->rows, prompts.n);
    TRY(capture_prompts_take(&c->prompts, c->rows, c->source, &prompts, err));
    c->rows += prompts.n;
    TRY(job_progress(c->ctx, (double)(first + n), (double)c->n, err));
cleanup:
    return rc;
}

static enum err_code capture_all(struct capture *c, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t first = 0; first < c->n; first += c->chunk) {
        const size_t n = c->n - first < c->chunk ? c->n - first : c->chunk;
        if (job_should_stop(c->ctx))
            return ERR(err, ERR_STOPPED, "stopped after %zu prompts", first);
        TRY(capture_chunk(c, first, n, err));
    }
cleanup:
    return rc;
}

/* Mean over prompts of the Euclidean norm at layer l; NaN if the array is not kept. */
static double mean_norm(const struct capture *c, enum what w, size_t l) {
    const struct model_dims *d = &c->model.params.dims;
    const size_t layers = kept_layers(w, d), width = kept_width(w, d);
    double sum = 0;
    if (!c->kept[w]) return (double)NAN;
    for (size_t i = 0; i < c->rows; i++)
        sum += vector_norm(c->kept[w] + (i * layers + l) * width, width);
    return sum / (double)c->rows;
}

/* Heads of a model of token ids are apart, since their widths need not add up to E. */
static struct job_tensor kept_tensor(const struct capture *c, enum what w) {
    const struct model_dims *d = &c->model.params.dims;
    const size_t layers = kept_layers(w, d);
    if (w == HEADS && d->vocabulary > 0)
        return (struct job_tensor){
            NAMES[w], 4, {c->rows, layers, d->H, model_head_width(d)}, c->kept[w]};
    return (struct job_tensor){NAMES[w], 3, {c->rows, layers, kept_width(w, d)}, c->kept[w]};
}

static enum err_code write_results(struct capture *c, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t l = 0; l < c->model.params.dims.L; l++) {
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
        const struct job_tensor t = kept_tensor(c, w);
        if (c->kept[w]) TRY(job_tensor(c->ctx, &t, err));
    }
    TRY(capture_prompts_write(&c->prompts, c->ctx, c->rows, source_info(c->source), err));
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

/* Prompts of numbers by their points, prompts of text by the longest one. */
static enum err_code check_size(const struct config_point *point, const struct model_dims *d,
                                const struct source_info *info,
                                const struct source_lengths *lengths, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t points = shared_keys_size(point, "points");
    const size_t chunk = shared_keys_chunk(point, shared_keys_size(point, "prompts"));
    if (info->functions) TRY(shared_keys_check_points(point, "points", points, d, err));
    TRY(shared_keys_check_room(point, chunk, lengths->prompt / 2 + 1, d, err));
cleanup:
    return rc;
}

static enum err_code measure_prompts(struct source_lengths *lengths, struct source **source,
                                     const struct config_point *point, const struct model_dims *d,
                                     struct err *err) {
    enum err_code rc = ERR_OK;
    const struct source_options o = capture_source(config_point_seed(point), d);
    const struct source_range range = capture_range(point, d);
    TRY(source_open(source, point, &o, err));
    TRY(source_check(*source, point, d->inputs, err));
    TRY(source_check_vocabulary(*source, point, d->vocabulary, err));
    TRY(source_measure(lengths, *source, &range, err));
    TRY(source_check_lengths(*source, point, &range, lengths, err));
    TRY(check_size(point, d, source_info(*source), lengths, err));
cleanup:
    return rc;
}

static double kept_numbers(const struct config_point *point, const struct model_dims *d) {
    size_t numbers = 0;
    for (enum what w = 0; w < WHATS; w++)
        if (wanted(point, w)) numbers += kept_layers(w, d) * kept_width(w, d);
    return (double)numbers;
}

/* "128 prompts x 11 points", of text also the longest prompt and the token that begins them. */
static void summarise(struct job_cost *cost, const struct config_point *point,
                      const struct source_info *info, const struct source_lengths *lengths) {
    const size_t prompts = shared_keys_size(point, "prompts") - lengths->too_long,
                 points = shared_keys_size(point, "points");
    struct text line = {0};
    text_add(&line, "%zu prompt%s x %zu point%s", prompts, text_plural(prompts), points,
             text_plural(points));
    if (info->answers)
        text_add(&line, ", up to %zu tokens, bos %s", lengths->prompt,
                 info->answers->bos[0] ? info->answers->bos : "none");
    if (lengths->crossed > 0) text_add(&line, ", %zu answers crossed", lengths->crossed);
    (void)snprintf(cost->summary, sizeof cost->summary, "%s", text_str(&line));
    text_release(&line);
}

static void predict_cost(struct job_cost *cost, const struct config_point *point,
                         const struct job_model *model, const struct source *source,
                         const struct source_lengths *lengths) {
    const struct model_dims *d = &model->dims;
    const struct prompt_batch_options batch = capture_batch_options(point, d, lengths);
    const size_t points = shared_keys_size(point, "points"), chunk = batch.slots;
    const double prompts = (double)shared_keys_size(point, "prompts");
    const double tokens = (double)lengths->prompt + 1,
                 contexts = (double)prompt_batch_context_bytes(&batch);
    flops_add_contexts(&cost->load, d, prompts, tokens);
    flops_add_queries(&cost->load, d, prompts, tokens);
    cost->memory =
        (double)(prompt_batch_bytes(&batch) + query_bytes(d, chunk, batch.tokens, false) +
                 source_bytes(source, chunk, points) + model->bytes) +
        contexts +
        prompts * sizeof(float) *
            (kept_numbers(point, d) +
             (double)capture_prompts_numbers(source_info(source), lengths, points));
    cost->memory_least = cost->memory;
    cost->mapped = (double)model->mapped;
    cost->shared = cost->load.contexts;
    cost->context_bytes = ceil(prompts / (double)chunk) * contexts;
}

static enum err_code capture_plan(struct job_cost *cost, const struct config_point *point,
                                  const char *control, const struct stage_parent *parents, size_t n,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    struct job_model model;
    struct source *source = NULL;
    struct source_lengths lengths;
    (void)control;
    CHECK_CONFIG(config_list_size(point, "what") > 0, point, "what",
                 "[] saves nothing: name one or more of heads, attention, hidden");
    TRY(job_model_plan(&model, point, parents, n, err));
    TRY(measure_prompts(&lengths, &source, point, &model.dims, err));
    *cost = (struct job_cost){
        .group = 1, .work = (double)shared_keys_size(point, "prompts"), .unit = "prompts"};
    predict_cost(cost, point, &model, source, &lengths);
    (void)snprintf(cost->context_of, sizeof cost->context_of, "capture");
    summarise(cost, point, source_info(source), &lengths);
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
