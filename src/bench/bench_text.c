/*
 * bench model - a language model: contexts of prompts without and with captured head outputs, query
 * rows, one token at a time, and the indirect effects of all heads (a causal map).
 *
 * Nothing but the causal map makes logits.
 */
#include <stdlib.h>

#include "activations/head_patching.h"
#include "bench/bench.h"
#include "bench/bench_weights.h"
#include "bench/flop_count.h"
#include "model/context_pass.h"
#include "model/vocabulary.h"

enum { PREFILL, CAPTURE, QUERY_64, QUERY_256, ONE_TOKEN, CAUSAL_MAP, LINES };
enum { ROWS = 256 };

struct work {
    const struct bench_size *size;
    struct bench_weights weights;
    struct context context;
    struct context_scratch *scratch;
    struct context_capture capture; /* z of the last token of every prompt */
    struct query query;
    struct head_patching pass;
    struct vocabulary answers;
    float *floats;                          /* what follows, and capture.z */
    float *mean;                            /* [L, H D] */
    float *patched;                         /* [H, prompts, E] */
    double *log_prob;                       /* [H, prompts] */
    uint32_t *integers;                     /* what follows, and capture.at */
    uint32_t *ids;                          /* [prompts, tokens] */
    uint32_t *slot, *length, *own, *target; /* [rows] */
};

static void text_bench_close(void *state) {
    struct work *w = state;
    if (!w) return;
    free(w->integers);
    free(w->log_prob);
    free(w->floats);
    vocabulary_destroy(&w->answers);
    head_patching_destroy(&w->pass);
    query_destroy(&w->query);
    context_scratch_destroy(w->scratch);
    context_destroy(&w->context);
    bench_weights_release(&w->weights);
    free(w);
}

/* ---- useful work */

static double square(double x) { return x * x; }

/* The captured head outputs of the last layer need its queries and its attention. */
static double flops_of_last_heads(const struct model_dims *d, double tokens) {
    const double Z = (double)model_heads_width(d);
    return tokens * 2 * (double)d->E * Z + 4 * Z * square(tokens) / 2;
}

static double flops_of_logits(const struct model_dims *d) {
    return 2 * (double)d->E * (double)d->vocabulary;
}

static struct bench_line query_line(const char *name, const struct work *w, size_t rows) {
    const struct model_dims *d = &w->weights.params.dims;
    const double seen = (double)w->size->tokens, prompts = (double)w->size->few;
    const double each = flop_count_context_bytes(d, (double)d->L, seen, sizeof(float));
    const double contexts = rows < w->size->few ? each : each * prompts / (double)rows;
    return (struct bench_line){.name = name,
                               .unit = "rows",
                               .units = (double)rows,
                               .flops = flop_count_query(d, seen),
                               .bytes = w->weights.bytes / (double)rows + contexts};
}

/* A prompt: its context, its query, and from each layer on a copy of the query a head; logits of
 * all of them. The copies of all prompts read the weights of a layer once for each patched layer.
 */
static struct bench_line map_line(const struct work *w) {
    const struct model_dims *d = &w->weights.params.dims;
    const double L = (double)d->L, H = (double)d->H, prompts = (double)w->size->map_prompts;
    const double seen = (double)w->size->tokens;
    struct bench_line line = {.name = "causal map", .unit = "prompts", .units = prompts};
    line.flops = flop_count_prefill(d, seen) + flop_count_query(d, seen);
    for (size_t l = 0; l < d->L; l++) line.flops += H * flop_count_query_from(d, seen, l);
    line.flops += (L * H + 1) * flops_of_logits(d);
    line.bytes = (w->weights.bytes * (L + 1) / 2 + w->weights.output_bytes * L) / prompts;
    line.bytes += flop_count_context_bytes(d, L * (L - 1) / 2, seen, sizeof(float));
    return line;
}

static void describe(struct bench_line *lines, const struct work *w) {
    const struct model_dims *d = &w->weights.params.dims;
    const double T = (double)w->size->tokens, n = (double)w->size->few;
    lines[PREFILL] = (struct bench_line){
        .name = "prefill", .unit = "tokens", .units = n * T, .flops = flop_count_prefill(d, T) / T};
    lines[CAPTURE] = lines[PREFILL];
    lines[CAPTURE].name = "capture";
    lines[CAPTURE].flops += flops_of_last_heads(d, T) / T;
    lines[CAPTURE].compared_with = "prefills without capture";
    lines[QUERY_64] = query_line("query 64", w, 64);
    lines[QUERY_256] = query_line("query 256", w, ROWS);
    lines[ONE_TOKEN] = query_line("one token", w, 1);
    lines[CAUSAL_MAP] = map_line(w);
}

/* ---- storage */

static enum err_code create_arrays(struct work *w, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct bench_size *z = w->size;
    const struct model_dims *d = &w->weights.params.dims;
    const size_t Z = d->L * model_heads_width(d), copies = d->H * z->map_prompts;
    w->floats = calloc(Z * (z->few + 1) + copies * d->E, sizeof *w->floats);
    w->log_prob = calloc(copies, sizeof *w->log_prob);
    w->integers = calloc(z->few * (z->tokens + 1) + 3 * ROWS + copies, sizeof *w->integers);
    CHECK(w->floats && w->log_prob && w->integers, ERR_MEMORY, "no memory for %zu copies", copies);
    w->mean = w->floats;
    w->patched = w->mean + Z;
    w->ids = w->integers;
    uint32_t *at = w->ids + z->few * z->tokens;
    w->slot = at + z->few, w->length = w->slot + ROWS, w->own = w->length + ROWS;
    w->target = w->own + ROWS;
    w->capture = (struct context_capture){
        .slots = z->few, .n = 1, .at = at, .z = w->patched + copies * d->E};
    for (size_t i = 0; i < z->few * z->tokens; i++)
        w->ids[i] = (uint32_t)((i * 7919) % d->vocabulary);
    for (size_t i = 0; i < z->few; i++) at[i] = (uint32_t)z->tokens - 1;
    for (size_t r = 0; r < ROWS; r++) w->length[r] = (uint32_t)z->tokens;
cleanup:
    return rc;
}

static enum err_code create_passes(struct work *w, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct bench_size *z = w->size;
    const struct model_dims *d = &w->weights.params.dims;
    TRY(context_create(&w->context, d, z->few, z->tokens, CONTEXT_SINGLE, err));
    TRY(context_scratch_create(&w->scratch, d, z->few, z->tokens, err));
    TRY(query_create(&w->query, d, ROWS, z->tokens, false, err));
    TRY(head_patching_create(&w->pass, d, z->map_prompts, z->tokens, err));
    TRY(vocabulary_create(&w->answers, d, z->map_prompts * d->H, false, err));
cleanup:
    return rc;
}

static enum err_code text_bench_open(void **state, struct bench_line lines[BENCH_LINES], size_t *n,
                                     const struct bench_size *z, struct err *err) {
    enum err_code rc = ERR_OK;
    struct work *w = calloc(1, sizeof *w);
    CHECK(w, ERR_MEMORY, "no memory for a bench");
    w->size = z;
    TRY(bench_weights_init(&w->weights, z, err));
    TRY(create_arrays(w, err));
    TRY(create_passes(w, err));
    describe(lines, w);
    *n = LINES;
    *state = w;
    w = NULL;
cleanup:
    text_bench_close(w);
    return rc;
}

/* ---- the work */

static void fill_contexts(struct work *w, size_t prompts, const struct context_capture *capture) {
    static const struct edits none;
    const struct params *p = &w->weights.params;
    const size_t T = w->size->tokens;
    context_scratch_capture(w->scratch, capture);
    for (size_t i = 0; i < prompts; i++)
        context_add_ids(&w->context, i, w->scratch, p, w->ids + i * T, T, &none);
    context_finish(&w->context, w->scratch, p, &none);
}

/* n rows, of which those of one context are neighbours. */
static struct query_rows rows_of(struct work *w, size_t n, size_t prompts) {
    const size_t each = n > prompts ? n / prompts : 1;
    for (size_t r = 0; r < n; r++) w->slot[r] = (uint32_t)(r / each % prompts);
    return (struct query_rows){.R = n, .slot = w->slot, .length = w->length, .ids = w->own};
}

static void run_queries(struct work *w, size_t n) {
    const struct query_rows rows = rows_of(w, n, w->size->few);
    query_forward(&w->query, &w->weights.params, &w->context, &rows, &(struct edits){0});
}

static void map_heads(struct work *w) {
    const struct params *p = &w->weights.params;
    const struct model_dims *d = &p->dims;
    const size_t prompts = w->size->map_prompts, copies = prompts * d->H;
    const struct basis mean = {.R = 1, .stride = 1, .part[BASIS_HEADS] = w->mean};
    fill_contexts(w, prompts, NULL);
    const struct query_rows rows = rows_of(w, prompts, prompts);
    head_patching_begin(&w->pass, p, &w->context, &rows);
    vocabulary_log_prob(w->log_prob, &w->answers, p, query_output(&w->pass.base), w->target,
                        prompts);
    for (size_t l = 0; l < d->L; l++) {
        head_patching_heads(w->patched, &w->pass, &mean, EDIT_HEADS, l, 0, d->H);
        vocabulary_log_prob(w->log_prob, &w->answers, p, w->patched, w->target, copies);
    }
}

static enum err_code text_bench_run(void *state, size_t line, struct err *err) {
    struct work *w = state;
    (void)err;
    switch (line) {
    case PREFILL:
        fill_contexts(w, w->size->few, NULL);
        break;
    case CAPTURE:
        fill_contexts(w, w->size->few, &w->capture);
        break;
    case QUERY_64:
        run_queries(w, 64);
        break;
    case QUERY_256:
        run_queries(w, ROWS);
        break;
    case ONE_TOKEN:
        run_queries(w, 1);
        break;
    default:
        map_heads(w);
    }
    return ERR_OK;
}

const struct bench bench_model = {
    .name = "model",
    .meaning = "a language model: contexts, captures, query rows, a causal map",
    .open = text_bench_open,
    .run = text_bench_run,
    .close = text_bench_close,
};
