/*
 * capture - saves the activations of heads, attention blocks and residual stream at the query.
 *
 * Prompts are of the split "capture"; the query is the last x, after points - 1 examples. The
 * artifact has the prompts and what their functions are, so that a probe can be trained on it. Of
 * text, test pairs are asked, the query is the last token before the answer, and activations of
 * other tokens can be saved too.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "model/length.h"
#include "model/query.h"
#include "passes/flops.h"
#include "sources/prompt_batch.h"
#include "sources/source_registry.h"
#include "stages/capture_kept.h"
#include "stages/capture_prompts.h"
#include "stages/capture_rows.h"
#include "stages/capture_tokens.h"
#include "stages/job_model.h"
#include "stages/shared_keys.h"

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
        .choices = CAPTURE_WHAT,
        .unit = "",
        .meaning = "Activations to save: outputs of the heads before the output projection, of the "
                   "attention blocks, and the residual stream after each block.",
    },
    {
        .name = "tokens",
        .type = CONFIG_NAME,
        .flags = CONFIG_AXIS | CONFIG_SINCE,
        .def = "query",
        .choices = CAPTURE_TOKENS,
        .when = "source.kind=text",
        .unit = "",
        .meaning =
            "Tokens whose activations are saved: the last one (`query`), the last one before "
            "each answer, shown or asked for, the last one of each shown answer, or all.",
    },
};

struct capture {
    struct job_ctx *ctx;
    size_t points, n, chunk;
    size_t rows; /* prompts that were captured: of text, n but for those that are too long */
    enum capture_tokens which;
    struct model model;
    struct context_share share;
    struct source *source;     /* draws a chunk */
    struct prompt_batch batch; /* slots and rows: [chunk] */
    struct query query;
    uint32_t *at; /* [chunk, kept.each] tokens */
    struct capture_kept kept;
    struct capture_prompts prompts;
};

static void capture_release(struct capture *c) {
    capture_prompts_destroy(&c->prompts);
    capture_kept_destroy(&c->kept);
    free(c->at);
    query_destroy(&c->query);
    prompt_batch_destroy(&c->batch);
    source_close(c->source);
    model_close(&c->model);
}

static struct source_options capture_source(const struct config_point *point, uint64_t seed,
                                            const struct model_dims *d) {
    return (struct source_options){.seed = seed,
                                   .split = "capture",
                                   .asked = SOURCE_TEST,
                                   .next = capture_tokens_read(point) != CAPTURE_QUERY,
                                   .most_tokens = length_most(d)};
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
    const struct source_options o = capture_source(c->ctx->point, c->ctx->seed, d);
    const struct source_range range = capture_range(c->ctx->point, d);
    TRY(source_open(&c->source, c->ctx->point, &o, err));
    TRY(source_measure(lengths, c->source, &range, err));
    TRY(source_check_lengths(c->source, c->ctx->point, &range, lengths, err));
    TRY(source_reserve(c->source, c->chunk, c->points, err));
    TRY(capture_prompts_create(&c->prompts, source_info(c->source), lengths, c->n, c->points,
                               c->which, err));
cleanup:
    return rc;
}

static enum err_code create_kept(struct capture *c, const struct source_lengths *lengths,
                                 struct err *err) {
    const size_t each = capture_tokens_most(c->which, c->points, lengths->prompt);
    c->at = calloc(c->chunk * each, sizeof *c->at);
    if (!c->at) return ERR(err, ERR_MEMORY, "no memory for %zu tokens", c->chunk * each);
    return capture_kept_create(&c->kept, &c->model.params.dims, c->ctx->point, c->n, each,
                               c->which != CAPTURE_QUERY, err);
}

static enum err_code capture_init(struct capture *c, struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    struct source_lengths lengths;
    *c = (struct capture){.ctx = ctx,
                          .points = shared_keys_size(ctx->point, "points"),
                          .n = shared_keys_size(ctx->point, "prompts"),
                          .which = capture_tokens_read(ctx->point)};
    c->chunk = shared_keys_chunk(ctx->point, c->n);
    TRY(job_model_open(&c->model, ctx, err));
    TRY(open_prompts(c, &lengths, err));
    const struct model_dims *d = &c->model.params.dims;
    struct prompt_batch_options batch = capture_batch_options(ctx->point, d, &lengths);
    batch.share = job_model_share(&c->share, ctx, &c->model);
    TRY(prompt_batch_create(&c->batch, &batch, err));
    TRY(query_create(&c->query, d, c->chunk, batch.tokens, false, err));
    TRY(create_kept(c, &lengths, err));
cleanup:
    if (rc != ERR_OK) capture_release(c);
    return rc;
}

/* One row for each prompt that has a j-th token. */
static size_t ask_token(struct capture *c, const struct prompt_view *prompts, size_t j) {
    size_t R = 0;
    for (size_t i = 0; i < prompts->n; i++) {
        const uint32_t t = c->at[i * c->kept.each + j];
        if (t != PROMPT_NO_TARGET) prompt_rows_read_token(&c->batch.rows, R++, i, prompts, i, t);
    }
    return R;
}

/* Runs the contexts of all prompts, then token after token as queries on them, and keeps their
 * activations in the rows of prompts from `first` on. */
static void ask_tokens(struct capture *c, const struct prompt_view *prompts, size_t first) {
    const struct params *p = &c->model.params;
    const struct prompt_span before = {.pairs = c->points - 1};
    const bool last = c->which == CAPTURE_QUERY;
    prompt_batch_begin(&c->batch, p, NULL);
    prompt_batch_fill(&c->batch, prompts, before);
    for (size_t i = 0; !last && i < prompts->n; i++)
        capture_tokens_find(c->at + i * c->kept.each, c->which, c->kept.each, prompts, i);
    if (last) prompt_batch_ask(&c->batch, prompts, c->points - 1, prompt_span_tokens(before));
    for (size_t j = 0; j < c->kept.each; j++) {
        const size_t R = last ? prompts->n : ask_token(c, prompts, j);
        const struct query_rows rows = prompt_rows_of(&c->batch.rows, R);
        if (R > 0) query_forward(&c->query, p, &c->batch.context, &rows, &(struct edits){0});
        capture_kept_put(&c->kept, &c->query, &rows, first, j);
    }
}

static enum err_code capture_chunk(struct capture *c, size_t first, size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct prompt_view prompts = source_draw(c->source, first, n);
    TRY(source_status(c->source, err));
    if (prompts.n > 0) ask_tokens(c, &prompts, c->rows);
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

static enum err_code write_results(struct capture *c, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t l = 0; l < c->model.params.dims.L; l++) {
        const struct capture_row row = {
            .points = (int64_t)c->points,
            .layer = (int64_t)l,
            .heads_norm = capture_kept_norm(&c->kept, CAPTURE_HEADS, c->rows, l),
            .attention_norm = capture_kept_norm(&c->kept, CAPTURE_ATTENTION, c->rows, l),
            .hidden_norm = capture_kept_norm(&c->kept, CAPTURE_HIDDEN, c->rows, l + 1),
        };
        TRY(capture_row_write(c->ctx, l, &row, err));
    }
    TRY(capture_kept_write(&c->kept, c->ctx, c->rows, err));
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
    const struct source_options o = capture_source(point, config_point_seed(point), d);
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
    const enum capture_tokens which = capture_tokens_read(point);
    const size_t each = capture_tokens_most(which, points, lengths->prompt);
    flops_add_contexts(&cost->load, d, prompts, tokens);
    flops_add_queries(&cost->load, d, prompts * (double)each, tokens);
    cost->memory =
        (double)(prompt_batch_bytes(&batch) + query_bytes(d, chunk, batch.tokens, false) +
                 source_bytes(source, chunk, points) + model->bytes) +
        contexts +
        prompts * sizeof(float) *
            ((double)capture_kept_numbers(point, d, each) +
             (double)capture_prompts_numbers(source_info(source), lengths, points, which));
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
    CHECK_CONFIG(capture_tokens_read(point) != CAPTURE_ANSWERS ||
                     shared_keys_size(point, "points") > 1,
                 point, "tokens", "\"answers\" with points = 1, which show none");
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
static const char *const CONTEXT_KEYS[] = {"!what", "!tokens", "!model.", NULL};

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
