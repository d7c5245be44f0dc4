/*
 * ablation - how well the model answers without the heads that a causal map, induction scores, the
 * weights of a fit, or chance put first.
 *
 * As in Yin and Steinhardt, arXiv:2502.14010: the output of a head at the query is replaced by its
 * mean over prompts of the task (passes/head_ablation.h), for growing shares of the heads; and
 * again without the first heads of another order, because heads that are first in both would
 * explain both curves. Prompts are those of evaluations with true labels, the mean is over those of
 * `effects`. A job reads all maps of its task.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "passes/flops.h"
#include "stages/effects_run.h"
#include "stages/heads/ablation_curves.h"
#include "stages/heads/ablation_prompts.h"
#include "stages/heads/ablation_rows.h"
#include "stages/heads/ablation_run.h"
#include "stages/job_model.h"
#include "stages/shared_keys.h"

static const char *const MEANS[] = {"task", "shuffled", NULL};

static const struct config_key KEYS[] = {
    {
        .name = "points",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .min = 2,
        .max = 1e6,
        .unit = "points",
        .meaning = "Points per prompt, the query included: of text, shots + 1.",
    },
    {
        .name = "functions",
        .type = CONFIG_INT,
        .min = 2,
        .max = 1e7,
        .def = "512",
        .unit = "",
        .meaning = "Number of test functions, with one prompt each; of text, of test items, or all "
                   "that there are.",
    },
    {
        .name = "prompts",
        .type = CONFIG_INT,
        .min = 2,
        .max = 1e7,
        .def = "256",
        .unit = "prompts",
        .meaning = "Number of prompts over which the mean of a head is taken.",
    },
    {
        .name = "mean",
        .type = CONFIG_NAME,
        .flags = CONFIG_AXIS,
        .def = "task",
        .choices = MEANS,
        .when = "source.kind=text",
        .unit = "",
        .meaning = "Prompts over which the mean of a head is taken: those of the task, or the same "
                   "with shuffled labels, so that the mean does not say what the task is.",
    },
    {
        .name = "rankings",
        .type = CONFIG_NAME,
        .flags = CONFIG_LIST,
        .def = "[\"patching\", \"gradient\", \"induction\", \"weights\", \"change\", \"random\"]",
        .choices = HEAD_MAP_NAMES,
        .unit = "",
        .meaning = "Orders of heads that are used, of those that `of` gives: by causal map, "
                   "attribution, induction score, size of the weights of a fit or of their change "
                   "since its beginning, the error without each head (left_out); and by chance.",
    },
    {
        .name = "shares",
        .type = CONFIG_FLOAT,
        .flags = CONFIG_LIST,
        .min = 1e-6,
        .max = 1,
        .def = "[0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2]",
        .unit = "",
        .meaning = "Shares of all heads that are ablated, the first ones of an order.",
    },
    {
        .name = "excluded",
        .type = CONFIG_FLOAT,
        .flags = CONFIG_AXIS,
        .max = 0.5,
        .def = "0.02",
        .unit = "",
        .meaning = "Share of the heads that are first in another order and are left out of a "
                   "second curve; 0: there is none.",
    },
    {
        .name = "draws",
        .type = CONFIG_INT,
        .min = 1,
        .max = 1000,
        .def = "5",
        .unit = "",
        .meaning = "Number of random orders.",
    },
    SHARED_KEY_CHUNK("Number of prompts that pass through the model together."),
    SHARED_KEY_CONFIDENCE("Confidence level of the intervals over prompts."),
};

/* ---- plan */

enum { MAPS_MOST = 2 * JOB_PARENTS };

/* The maps that the parents will give, and the random ones: kinds alone. */
static size_t planned_maps(struct head_map out[MAPS_MOST], const struct head_maps_options *o,
                           const struct stage_parent *parents, size_t n) {
    size_t maps = 0;
    for (size_t i = 0; i < n; i++) {
        const char *kind = parents[i].stage->name;
        if (strcmp(kind, "effects") == 0) {
            out[maps].kind = (enum head_map_kind)effects_measure_of(parents[i].point);
            maps += o->wanted[out[maps].kind];
        } else if (strcmp(kind, "head_weights") == 0) {
            if (o->wanted[HEAD_MAP_WEIGHTS]) out[maps++].kind = HEAD_MAP_WEIGHTS;
            if (o->wanted[HEAD_MAP_CHANGE]) out[maps++].kind = HEAD_MAP_CHANGE;
        } else if (strcmp(kind, "leave_one_out") == 0 && o->wanted[HEAD_MAP_LEFT_OUT]) {
            out[maps++].kind = HEAD_MAP_LEFT_OUT;
        }
    }
    return maps;
}

static size_t planned_passes(const struct config_point *point, const struct stage_parent *parents,
                             size_t n) {
    struct head_map maps[MAPS_MOST];
    const struct head_maps_options o = ablation_curves_maps(point);
    const size_t read = planned_maps(maps, &o, parents, n);
    const size_t curves = ablation_curves_count(maps, read, config_float(point, "excluded")) +
                          (o.wanted[HEAD_MAP_RANDOM] ? o.random : 0);
    return 1 + curves * config_list_size(point, "shares");
}

static void add_load(struct job_load *load, const struct ablation_prompts *t,
                     const struct model_dims *d, double passes) {
    const double items = (double)t->items, seen = (double)t->lengths.prompt - 1,
                 means = (double)t->mean.prompts.n;
    const double rows = items * (double)t->lengths.answer * passes;
    flops_add_contexts(load, d, items + means, seen);
    flops_add_queries(load, d, rows + means, seen);
    flops_add_reading(load, d, items * passes + means, seen, t->mean.contexts);
    if (d->vocabulary > 0) load->queries += 2 * flops_logits(d, rows, (double)d->vocabulary);
}

static double memory_of(const struct ablation_prompts *t, const struct job_model *model,
                        size_t passes) {
    const struct model_dims *d = &model->dims;
    const struct params shape = {.dims = *d};
    struct head_ablation_options o = ablation_prompts_options(t);
    o.params = &shape;
    const size_t asked = head_ablation_bytes(d, &o) + source_bytes(t->asked, t->chunk, t->points) +
                         passes * t->items * sizeof(struct head_ablation_result),
                 mean = causal_mean_bytes(d, &t->mean);
    return (double)(model->bytes + (asked > mean ? asked : mean) +
                    source_bytes(t->mean_of, t->mean.prompts.n, t->points));
}

static enum err_code ablation_plan(struct job_cost *cost, const struct config_point *point,
                                   const char *control, const struct stage_parent *parents,
                                   size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    struct job_model model;
    struct ablation_prompts t = {0};
    const size_t passes = planned_passes(point, parents, n);
    (void)control;
    TRY(job_model_plan(&model, point, parents, n, err));
    TRY(ablation_prompts_open(&t, point, config_point_seed(point), &model.dims, err));
    TRY(shared_keys_check_room(point, t.chunk, t.lengths.prompt / 2 + 1, &model.dims, err));
    *cost = (struct job_cost){.group = 1,
                              .work = (double)passes * (double)t.items,
                              .unit = "prompts",
                              .mapped = (double)model.mapped};
    add_load(&cost->load, &t, &model.dims, (double)passes);
    cost->memory = cost->memory_least = memory_of(&t, &model, passes);
    (void)snprintf(cost->summary, sizeof cost->summary,
                   "%zu choice%s of heads x %zu prompt%s x %zu points", passes - 1,
                   text_plural(passes - 1), t.items, text_plural(t.items), t.points);
cleanup:
    ablation_prompts_close(&t);
    return rc;
}

static const char *const PARENTS[] = {"effects", "head_weights", "leave_one_out", "pretrain", NULL};

extern const struct stage stage_ablation;
const struct stage stage_ablation = {
    .name = "ablation",
    .meaning = "How well the model answers without the heads that causal maps, induction scores, "
               "weights of fits or chance put first.",
    .version = 1,
    .uses = STAGE_USES_MODEL | STAGE_USES_SOURCE | STAGE_USES_CONTEXTS,
    .parents = PARENTS,
    .gathers = true,
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .columns = &ablation_row_columns,
    .plan = ablation_plan,
    .run = ablation_stage_run,
};
