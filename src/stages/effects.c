/*
 * effects - a number for each head: its average indirect effect on label-shuffled prompts, or of
 * text its attribution by gradients or its induction score.
 *
 * Activation patching as in Todd et al., ICLR 2024, section 2.3: each head's output at the query is
 * replaced by its mean over clean prompts. The definitions are in activations/causal_map.h, which
 * the derivation of `fv` uses too, head_gradient.h and induction.h. Prompts are of the split
 * "effects", one function each; clean mean and map use the same prompts, and no fit or evaluation
 * sees them. Of text, both ask pairs for validation, and the map reads the shuffled prompts of a
 * second source. Induction reads random tokens, and so no task: its jobs have no such keys.
 */
#include <stdio.h>
#include <string.h>

#include "activations/head_gradient.h"
#include "activations/induction.h"
#include "base/text.h"
#include "methods/method.h"
#include "passes/flops.h"
#include "sources/source_registry.h"
#include "stages/effects_prompts.h"
#include "stages/effects_rows.h"
#include "stages/effects_run.h"
#include "stages/job_model.h"
#include "stages/shared_keys.h"

static const struct config_key KEYS[] = {
    {
        .name = "points",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .min = 3,
        .max = 1e6,
        .unit = "points",
        .meaning = "Points per prompt, 3 or more; the query is the last x.",
    },
    {
        .name = "prompts",
        .type = CONFIG_INT,
        .min = 2,
        .max = 1e7,
        .def = "256",
        .unit = "prompts",
        .meaning = "Number of prompts, with one function each, clean and label-shuffled; or of "
                   "sequences of random tokens.",
    },
    {
        .name = "reading",
        .type = CONFIG_NAME,
        .flags = CONFIG_AXIS,
        .def = "\"heads\"",
        .choices = CAUSAL_READINGS,
        .unit = "",
        .meaning = "Definition of a head's output: its own, or a slice of the attention block's "
                   "output (published, regression).",
    },
    {
        .name = "corruption",
        .type = CONFIG_NAME,
        .flags = CONFIG_AXIS,
        .def = "\"shared\"",
        .choices = CAUSAL_CORRUPTIONS,
        .unit = "",
        .meaning = "Label order of the shuffled prompts: one per prompt for all heads, or redrawn "
                   "for each head and shared by all prompts (published, needs a context per head).",
    },
    {
        .name = "measure",
        .type = CONFIG_NAME,
        .flags = CONFIG_AXIS | CONFIG_SINCE,
        .def = "\"patching\"",
        .choices = EFFECTS_MEASURES,
        .when = "source.kind=text",
        .unit = "",
        .meaning = "Effect of a head: by activation patching; gradient times output on clean "
                   "prompts; or its attention to the token that followed the last occurrence of "
                   "the same token, on random tokens shown twice.",
    },
    {
        .name = "repeated",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS | CONFIG_SINCE,
        .min = 2,
        .max = 1e5,
        .def = "50",
        .when = "measure=induction",
        .unit = "tokens",
        .meaning = "Number of different random tokens that are shown twice.",
    },
    SHARED_KEY_CHUNK("Number of prompts that pass through the model together."),
    SHARED_KEY_CONFIDENCE("Confidence level of the intervals over prompts."),
};

static size_t map_size(const struct model_dims *d) { return d->L * d->H; }

/* A job on random tokens has no prompts of a task. */
static bool effects_reads(const char *measure, const char *setting, const char *key) {
    (void)setting;
    static const char *const of_a_task[] = {"points", "reading", "corruption", NULL};
    const bool task = strncmp(key, "source.", 7) == 0 && strcmp(key, "source.kind") != 0 &&
                      strcmp(key, "source.bos") != 0 && strcmp(key, "source.tokenizer") != 0;
    if (strcmp(measure, EFFECTS_MEASURES[EFFECTS_INDUCTION]) != 0) return true;
    for (size_t i = 0; of_a_task[i]; i++)
        if (strcmp(key, of_a_task[i]) == 0) return false;
    return !task;
}

/* ---- plan */

/* Context tokens of a prompt. */
static size_t context_tokens(const struct causal_options *o) {
    return o->tokens > 0 ? o->tokens : 2 * (o->T0 - 1);
}

/* Clean and corrupted contexts, and for every head one token of each prompt from its layer to the
 * end: half of the layers on average. The tokens of the heads of a layer read a context together.
 * Text: and the logits of the first tokens of answers.
 */
static struct job_load load_of(const struct causal_options *o, const struct model_dims *d) {
    const double T = (double)context_tokens(o), n = (double)effects_prompts_mapped(o);
    const double heads = (double)map_size(d), layers = (double)d->L;
    const bool shared = o->corruption == CAUSAL_SHARED;
    struct job_load load = {0};
    flops_add_contexts(&load, d, (double)o->prompts.n + n * (shared ? 1 : heads), T);
    flops_add_queries(&load, d, n * (2 + heads / 2), T);
    flops_add_reading(&load, d, n * (2 + (shared ? layers : heads) / 2), T, o->contexts);
    if (o->tokens > 0) load.queries += flops_logits(d, n * (1 + heads), (double)d->vocabulary);
    return load;
}

/* Forward, backward (counted as two passes), and all logits of a prompt. */
static struct job_load gradient_load(const struct causal_options *o, const struct model_dims *d) {
    const double T = (double)o->tokens, n = (double)o->prompts.n;
    struct job_load load = {0};
    flops_add_contexts(&load, d, n, T);
    flops_add_queries(&load, d, 3 * n, T);
    flops_add_reading(&load, d, 3 * n, T, o->contexts);
    load.queries += flops_logits(d, 2 * n, (double)d->vocabulary);
    return load;
}

static double memory_needed(const struct causal_options *o, const struct job_model *model,
                            const struct source *source, bool gradient) {
    const struct model_dims *d = &model->dims;
    const size_t n = effects_prompts_mapped(o), mean = gradient ? 0 : causal_mean_bytes(d, o);
    const size_t map = gradient ? head_gradient_bytes(d, o) : causal_map_bytes(d, o);
    const size_t views = (o->tokens > 0 ? 2 : 1) * source_bytes(source, o->prompts.n, o->T0);
    return (double)(views + model->bytes + map_size(d) * n * sizeof(float) + n * sizeof(double) +
                    (mean > map ? mean : map));
}

static enum err_code plan_prompts(struct causal_options *o, struct source **source,
                                  const struct config_point *point, const struct model_dims *d,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(effects_prompts_open(source, point, config_point_seed(point), d, false, err));
    TRY(effects_prompts_check(*source, point, d, err));
    if (source_info(*source)->answers)
        TRY(effects_prompts_measure(o, point, config_point_seed(point), d, err));
    else
        TRY(shared_keys_check_points(point, "points", o->T0, d, err));
    TRY(shared_keys_check_room(point, o->prompts.n, context_tokens(o) / 2 + 1, d, err));
cleanup:
    return rc;
}

/* Operations: contexts with labels redrawn for each head are not kept. */
static double shared_contexts_of(const struct causal_options *o, const struct model_dims *d,
                                 double all) {
    struct job_load clean = {0};
    flops_add_contexts(&clean, d, (double)o->prompts.n, (double)context_tokens(o));
    return o->corruption == CAUSAL_REDRAWN ? clean.contexts : all;
}

static void predict_cost(struct job_cost *cost, const struct causal_options *o,
                         const struct job_model *model, const struct source *source,
                         bool gradient) {
    const struct model_dims *d = &model->dims;
    *cost = (struct job_cost){.load = gradient ? gradient_load(o, d) : load_of(o, d),
                              .group = 1,
                              .work = (double)o->prompts.n,
                              .unit = "prompts"};
    cost->memory = cost->memory_least = memory_needed(o, model, source, gradient);
    cost->shared = shared_contexts_of(o, d, cost->load.contexts);
    cost->context_bytes = (o->corruption == CAUSAL_REDRAWN ? 1 : 2) *
                          (double)context_bytes(d, o->prompts.n, context_tokens(o), o->contexts);
    (void)snprintf(cost->context_of, sizeof cost->context_of, "effects");
    (void)snprintf(cost->summary, sizeof cost->summary, "%zu head%s x %zu prompt%s x %zu point%s",
                   map_size(d), text_plural(map_size(d)), o->prompts.n, text_plural(o->prompts.n),
                   o->T0, text_plural(o->T0));
}

static enum err_code plan_map(struct job_cost *cost, const struct config_point *point,
                              const struct job_model *model, struct err *err) {
    enum err_code rc = ERR_OK;
    struct source *source = NULL;
    struct causal_options o = effects_options(point, model->dims.inputs);
    const bool gradient = effects_measure_of(point) == EFFECTS_GRADIENT;
    CHECK_CONFIG(!gradient || o.reading == CAUSAL_HEADS, point, "reading",
                 "gradients are those of head outputs: set it to \"heads\"");
    TRY(method_check_reprojected(&model->dims, point, "reading", err));
    TRY(plan_prompts(&o, &source, point, &model->dims, err));
    predict_cost(cost, &o, model, source, gradient);
cleanup:
    source_close(source);
    return rc;
}

/* A pass forward over the second half of each sequence; logits are not needed. */
static enum err_code plan_random(struct job_cost *cost, const struct config_point *point,
                                 const struct job_model *model, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &model->dims;
    struct induction_options o;
    TRY(effects_prompts_random(&o, point, d, err));
    const double n = (double)o.sequences, tokens = (double)induction_tokens(&o);
    const double heads = (double)map_size(d);
    *cost = (struct job_cost){.group = 1, .work = n, .unit = "sequences"};
    flops_add_contexts(&cost->load, d, n, tokens - 1);
    flops_add_queries(&cost->load, d, n * (double)o.length, 0.75 * tokens);
    flops_add_reading(&cost->load, d, n, tokens - 1, o.contexts);
    cost->memory = cost->memory_least = (double)(model->bytes + induction_bytes(d, &o)) +
                                        heads * n * sizeof(float) + n * sizeof(double);
    (void)snprintf(cost->summary, sizeof cost->summary,
                   "%zu head%s x %zu sequence%s of %zu random tokens, twice", map_size(d),
                   text_plural(map_size(d)), o.sequences, text_plural(o.sequences), o.length);
cleanup:
    return rc;
}

static enum err_code effects_plan(struct job_cost *cost, const struct config_point *point,
                                  const char *control, const struct stage_parent *parents, size_t n,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    struct job_model model;
    const bool random = effects_measure_of(point) == EFFECTS_INDUCTION;
    (void)control;
    TRY(job_model_plan(&model, point, parents, n, err));
    TRY(random ? plan_random(cost, point, &model, err) : plan_map(cost, point, &model, err));
    cost->mapped = (double)model.mapped;
cleanup:
    return rc;
}

static const char *const PARENTS[] = {"pretrain", NULL};
static const char *const CONTEXT_KEYS[] = {"!reading", "!confidence", "!model.", NULL};

extern const struct stage stage_effects;
const struct stage stage_effects = {
    .name = "effects",
    .meaning = "A number for each head: its average indirect effect on label-shuffled prompts, by "
               "activation patching; of text also its attribution or its induction score.",
    .version = 1,
    .uses = STAGE_USES_MODEL | STAGE_USES_SOURCE | STAGE_USES_CONTEXTS,
    .parents = PARENTS,
    .context_keys = CONTEXT_KEYS,
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .reader = "measure",
    .reads = effects_reads,
    .columns = &effects_row_columns,
    .text_columns = &effects_text_row_columns,
    .plan = effects_plan,
    .run = effects_run,
};
