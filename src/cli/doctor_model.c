#include "cli/doctor_model.h"

#include <stdlib.h>

#include "base/clock.h"
#include "cli/doctor_tokenizer.h"
#include "machine/memory_budget.h"
#include "model/context_pass.h"
#include "model/hf/hf_weights.h"
#include "ops/blas.h"

enum { UNUSED_SHOWN = 5, PROMPT = 100 /* tokens */, PROMPTS = 32 };

/* A line whose text is released. */
static void say(struct doctor *d, const char *what, struct text *line) {
    doctor_well(d, what, text_str(line));
    text_release(line);
}

/* ---- what the folder is */

static void say_sizes(struct doctor *d, const struct hf_model *m, const char *folder) {
    const struct model_dims *s = &m->config.dims;
    struct text line = {0};
    text_add(&line, "%s: %s, %zu layers, %zu heads of %zu", folder, m->config.family->model_type,
             s->L, s->H, model_head_width(s));
    if (model_key_heads(s) != s->H) text_add(&line, " (%zu key-value heads)", model_key_heads(s));
    text_add(&line, ", width %zu, MLP %zu, vocabulary of %zu, %zu positions, %zu weights%s", s->E,
             model_mlp_width(s), s->vocabulary, s->positions, params_weights(s),
             s->tied ? ", output tied to the embedding" : "");
    say(d, "model", &line);
}

static void say_weights(struct doctor *d, const struct hf_model *m) {
    struct text line = {0};
    const size_t files = tensor_set_files(m->set);
    hf_model_types(&line, m);
    text_add(&line, " in %zu file%s, ", files, files > 1 ? "s" : "");
    memory_budget_text(&line, (double)hf_model_bytes(m));
    text_add(&line, ", no NaN and no infinity");
    say(d, "weights", &line);
}

static void say_config(struct doctor *d, const struct hf_model *m) {
    const struct hf_config *c = &m->config;
    struct text window = {0};
    doctor_well(d, "defaults",
                c->defaulted.size > 0 ? text_str(&c->defaulted) : "none were needed");
    if (c->unread.size > 0) doctor_well(d, "keys unread", text_str(&c->unread));
    if (c->dims.window == 0) return;
    text_add(&window, "a sliding window of %zu tokens is in use: longer prompts are refused",
             c->dims.window);
    say(d, "window", &window);
}

static void say_unused(struct doctor *d, const struct hf_model *m) {
    struct text names = {0}, line = {0};
    const size_t n = hf_model_unused(&names, m, UNUSED_SHOWN);
    if (n == 0)
        text_add(&line, "every tensor of the files is used or a known buffer");
    else
        text_add(&line, "%zu tensor%s: %s%s", n, n > 1 ? "s" : "", text_str(&names),
                 n > UNUSED_SHOWN ? ", ..." : "");
    text_release(&names);
    say(d, "unused", &line);
}

static void say_hash(struct doctor *d, const struct hf_model *m) {
    char hex[HASH_HEX];
    tensor_set_hash(hex, m->set);
    doctor_well(d, "sha256", hex);
}

/* ---- what it takes */

static void say_memory(struct doctor *d, const struct hf_model *m, size_t allocated) {
    struct memory_limits limits;
    struct text line = {0};
    const double weights = (double)hf_model_bytes(m);
    const size_t positions = m->config.dims.positions, T = positions < PROMPT ? positions : PROMPT;
    const double prompt = (double)context_bytes(&m->config.dims, 1, T, CONTEXT_SINGLE);
    const double pass = (double)context_scratch_bytes(&m->config.dims, PROMPTS, T);
    memory_budget_look(&limits);
    memory_budget_text(&line, weights);
    text_add(&line, " a node for the weights, mapped once for all its ranks; a rank ");
    memory_budget_text(&line, (double)allocated);
    text_add(&line, " for what it widens, ");
    memory_budget_text(&line, pass);
    text_add(&line, " for passes over prompts of %zu tokens and ", T);
    memory_budget_text(&line, prompt);
    text_add(&line, " for each of them that it keeps");
    if (limits.available > 0 && weights > limits.available) {
        text_add(&line, "; the node has ");
        memory_budget_text(&line, limits.available);
        text_add(&line, " left: weights would be read from disk again and again");
        doctor_trouble(d, "memory", text_str(&line));
        text_release(&line);
        return;
    }
    say(d, "memory", &line);
}

/* Operations of a token in the matrices of the layers. */
static double token_flops(const struct model_dims *d) {
    struct model_dims none = *d;
    none.L = 0;
    return 2.0 * (double)(params_weights(d) - params_weights(&none));
}

/* Operations per second of sgemm on the rows of a batch of prompts. */
static double measure_rate(const struct model_dims *d) {
    enum { ROWS = 512 };
    const size_t E = d->E, F = model_mlp_width(d);
    float *x = calloc(ROWS * E, sizeof *x), *W = calloc(E * F, sizeof *W);
    float *y = calloc(ROWS * F, sizeof *y);
    const double work = 2.0 * ROWS * (double)E * (double)F;
    double begin = 0, seconds = 0;
    size_t products = 0; /* the first one is not timed */
    for (; x && W && y && seconds < 0.3; products++) {
        if (products == 1) begin = clock_now();
        blas_gemm(y, x, W, BLAS_N, BLAS_N, 1, 0, ROWS, F, E, E, F, F);
        if (products > 0) seconds = clock_now() - begin;
    }
    free(x);
    free(W);
    free(y);
    return seconds > 0 ? (double)(products - 1) * work / seconds : 0;
}

static void say_speed(struct doctor *d, const struct hf_model *m) {
    struct text line = {0};
    const double rate = measure_rate(&m->config.dims), work = token_flops(&m->config.dims);
    if (rate <= 0) return;
    text_add(&line,
             "about %.3g tokens/s a rank in prompts (%.3g GFLOP a token, 80%% of the %.3g GFLOP/s "
             "of sgemm)",
             0.8 * rate / work, work / 1e9, rate / 1e9);
    say(d, "speed", &line);
}

enum err_code doctor_model(struct doctor *d, const char *folder, bool hash, struct err *err) {
    enum err_code rc = ERR_OK;
    struct hf_model m = {0};
    size_t allocated = 0;
    TRY(hf_model_open(&m, folder, err));
    TRY(hf_model_check_finite(&m, err));
    TRY(hf_weights_allocated(&allocated, &m, err));
    say_sizes(d, &m, folder);
    say_weights(d, &m);
    say_config(d, &m);
    say_unused(d, &m);
    if (hash) say_hash(d, &m);
    TRY(doctor_tokenizer(d, folder, m.config.dims.vocabulary, err));
    say_memory(d, &m, allocated);
    say_speed(d, &m);
cleanup:
    hf_model_close(&m);
    return rc;
}
