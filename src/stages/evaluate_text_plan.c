#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "passes/dummy_pairs.h"
#include "passes/flops.h"
#include "stages/capture_prompts.h"
#include "stages/evaluate_keep.h"
#include "stages/evaluate_run.h"
#include "stages/evaluate_text.h"
#include "stages/evaluate_text_prompts.h"
#include "stages/evaluate_text_scores.h"
#include "stages/evaluated_method.h"
#include "stages/job_model.h"
#include "stages/shared_keys.h"

enum err_code evaluate_text_basis_find(struct evaluate_text_basis *out,
                                       const struct config_point *point,
                                       const struct config_point *fit, size_t trained_points,
                                       const struct params *params, struct err *err) {
    struct method_setup setup;
    *out = (struct evaluate_text_basis){0};
    if (!fit || fitted_method_is_mean(fit)) return ERR_OK;
    method_setup_read(&setup, fit, params);
    out->parts = method_basis(&setup);
    if (!out->parts) return ERR_OK;
    return evaluate_basis_points(&out->T0, point, fit, trained_points, err);
}

/* ---- what has no meaning on text */

static enum err_code check_controls(const struct config_point *point, size_t tasks, bool own_basis,
                                    struct err *err) {
    const size_t n = config_has(point, "also") ? config_list_size(point, "also") : 0;
    for (size_t i = 0; i < n; i++) {
        const struct method *m = method_find(config_list_text(point, "also", i));
        if (m->inputs.prompt != METHOD_WHOLE)
            return config_error(err, point, "also",
                                "\"%s\" shows the last points of prompts of numbers, and text "
                                "prompts have none: omit it",
                                m->name);
        if (m->control.next_function && own_basis && tasks < 2)
            return config_error(err, point, "also",
                                "\"%s\" takes the basis of the next item, which is of the same "
                                "task: give source.task a folder of tasks, or the fit basis = "
                                "\"mean\" and several tasks",
                                m->name);
    }
    return ERR_OK;
}

static enum err_code check_keys(const struct config_point *point, struct err *err) {
    enum err_code rc = ERR_OK;
    struct dummy_pairs dummies;
    dummy_pairs_read(&dummies, point);
    CHECK_CONFIG(dummies.rule == DUMMIES_NONE, point, "dummies",
                 "pairs of zeros are numbers, and text prompts have none: set it to \"none\"");
    CHECK_CONFIG(
        !evaluate_keeps(point, "predictions"), point, "keep",
        "predictions are numbers: of text the artifact has the scores of every item in any "
        "case, and prompts may be kept");
    CHECK_CONFIG(config_int(point, "basis_points") == 0, point, "basis_points",
                 "the window of controls, which text does not have: set it to 0, and that of the "
                 "basis in the fit");
cleanup:
    return rc;
}

/* ---- cost */

static void add_items(struct job_load *load, const struct evaluate_text_prompts *t,
                      const struct model_dims *d) {
    const double n = (double)t->items, rows = n * (double)t->lengths.answer,
                 seen = (double)t->lengths.prompt - 1;
    flops_add_contexts(load, d, n, seen);
    flops_add_queries(load, d, rows, seen);
    flops_add_reading(load, d, n, seen, t->contexts);
    load->queries += 2 * flops_logits(d, rows, (double)d->vocabulary); /* and for the ranks */
}

static void add_bases(struct job_load *load, const struct evaluate_text_prompts *t,
                      const struct model_dims *d) {
    const double n = (double)t->items, seen = (double)t->basis_lengths.prompt - 1;
    if (t->T0 == 0) return;
    flops_add_contexts(load, d, n, seen);
    flops_add_queries(load, d, n, seen);
    flops_add_vectors(load, d, n);
}

static double batch_memory(const struct prompt_batch_options *batch) {
    return (double)prompt_batch_bytes(batch) + (double)prompt_batch_context_bytes(batch);
}

static size_t kept_numbers(const struct evaluate_text_prompts *t) {
    return capture_prompts_numbers(source_info(t->source), &t->lengths, t->points, CAPTURE_QUERY);
}

static double memory_of(const struct evaluate_text_prompts *t, const struct job_model *model,
                        const struct method_setup *setup) {
    const struct model_dims *d = &model->dims;
    const struct prompt_batch_options asked = evaluate_text_batch(t, d);
    const struct basis_size bases = evaluate_text_bases(t);
    const struct vector_pass_size pass = evaluate_text_pass(t);
    const size_t values = method_edits_most(setup) * t->chunk * d->E; /* of a control */
    const struct evaluate_text_sizes sizes = {t->items, asked.rows};
    double bytes =
        (double)model->bytes + batch_memory(&asked) + (double)vector_pass_bytes_long(setup, &pass) +
        evaluate_text_scores_bytes(d, &sizes) +
        (double)source_bytes(t->source, t->chunk, t->points) + (double)(values * sizeof(float)) +
        (double)(t->keeps ? t->items * kept_numbers(t) * sizeof(float) : 0) +
        (double)basis_set_bytes(d, method_basis(setup), t->T0 > 0 ? t->chunk : 1);
    if (t->T0 == 0) return bytes;
    return bytes + (double)method_collector_bytes(setup, &bases, t->chunk, t->contexts) +
           (double)source_bytes(t->basis, t->chunk, t->T0) +
           (t->alone ? (double)source_bytes(t->alone, t->chunk, 1) : 0);
}

/* "128 items, 10 shots, shift none, up to 90 tokens, bos none" */
static void summarise(struct job_cost *cost, const struct evaluate_text_prompts *t) {
    const struct source_info *info = source_info(t->source);
    const size_t items = t->items - t->lengths.too_long, shots = t->points - 1;
    struct text line = {0};
    text_add(&line, "%zu item%s, %zu shot%s, shift %s, up to %zu tokens, bos %s", items,
             text_plural(items), shots, text_plural(shots), info->shift, t->lengths.prompt,
             info->answers->bos[0] ? info->answers->bos : "none");
    (void)snprintf(cost->summary, sizeof cost->summary, "%s", text_str(&line));
    text_release(&line);
}

static void fill_cost(struct job_cost *cost, const struct evaluate_text_prompts *t,
                      const struct job_model *model, const struct method_setup *setup) {
    const struct model_dims *d = &model->dims;
    const struct prompt_batch_options asked = evaluate_text_batch(t, d);
    *cost = (struct job_cost){.group = 1,
                              .work = (double)t->items,
                              .unit = "items",
                              .prompts = t->items,
                              .left_out = t->lengths.too_long,
                              .crossed = t->lengths.crossed};
    add_items(&cost->load, t, d);
    if (setup->method->application.scope != EDIT_ALL) {
        cost->shared = cost->load.contexts;
        cost->context_bytes =
            ceil((double)t->items / (double)t->chunk) * (double)prompt_batch_context_bytes(&asked);
        (void)snprintf(cost->context_of, sizeof cost->context_of, "evaluate");
    }
    add_bases(&cost->load, t, d);
    cost->memory = cost->memory_least = memory_of(t, model, setup);
    summarise(cost, t);
}

enum err_code evaluate_text_plan(struct job_cost *cost, const struct config_point *point,
                                 const char *control, const struct stage_parent *parents, size_t n,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    struct job_model model;
    struct method_setup setup;
    struct evaluate_text_prompts t = {0};
    const struct config_point *fit = job_model_fit(parents, n);
    struct evaluate_text_basis basis;
    TRY(job_model_plan(&model, point, parents, n, err));
    const struct params shape = {.dims = model.dims};
    TRY(check_keys(point, err));
    TRY(evaluate_text_basis_find(&basis, point, fit, model.trained_points, &shape, err));
    TRY(evaluate_text_prompts_open(&t, point, config_point_seed(point), &model.dims, &basis, err));
    TRY(check_controls(point, source_info(t.source)->answers->tasks, basis.T0 > 0, err));
    TRY(shared_keys_check_room(point, t.chunk, t.lengths.prompt / 2 + 1, &model.dims, err));
    fitted_method_planned(&setup, fit, control, &shape);
    fill_cost(cost, &t, &model, &setup);
cleanup:
    evaluate_text_prompts_close(&t);
    return rc;
}
