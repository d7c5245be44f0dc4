/*
 * agreement - how far orders of heads agree: of fits of several repeats, which shows whether
 * weights are stable over seeds, and of these with causal maps and induction scores.
 */
#include <stdio.h>
#include <string.h>

#include "activations/head_ranking.h"
#include "sources/source_registry.h"
#include "stages/heads/agreement_rows.h"
#include "stages/heads/head_maps.h"
#include "stages/job_model.h"
#include "stats/rank_agreement.h"

static const struct config_key KEYS[] = {
    {
        .name = "share",
        .type = CONFIG_FLOAT,
        .flags = CONFIG_AXIS,
        .min = 1e-6,
        .max = 1,
        .def = "0.1",
        .unit = "",
        .meaning = "Share of the heads, from the most important on, whose overlap is counted.",
    },
};

static enum err_code write_pair(struct job_ctx *ctx, size_t number, const struct head_maps *maps,
                                const struct head_map *a, const struct head_map *b,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t top = head_ranking_top(config_float(ctx->point, "share"), maps->heads);
    struct rank_agreement agreement;
    char source[96];
    source_name(source, sizeof source, ctx->point);
    TRY(rank_agreement_of(&agreement, a->value, b->value, maps->heads, top, err));
    const struct agreement_row row = {
        .source = source,
        .ranking = HEAD_MAP_NAMES[a->kind],
        .fit = a->fit,
        .repeat = a->repeat,
        .other = HEAD_MAP_NAMES[b->kind],
        .other_fit = b->fit,
        .other_repeat = b->repeat,
        .heads = (int64_t)maps->heads,
        .spearman = agreement.spearman,
        .top = (int64_t)top,
        .overlap = agreement.overlap,
        .expected = agreement.expected,
    };
    TRY(agreement_row_write(ctx, number, &row, err));
cleanup:
    return rc;
}

static enum err_code agreement_run(struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    struct model model = {0};
    struct head_maps maps = {0};
    size_t number = 0;
    TRY(job_model_open(&model, ctx, err));
    const struct head_maps_options o = {.dims = &model.params.dims,
                                        .wanted = {true, true, true, true, true, true}};
    TRY(head_maps_read(&maps, ctx, &o, err));
    for (size_t a = 0; a < maps.n; a++)
        for (size_t b = a + 1; b < maps.n; b++)
            TRY(write_pair(ctx, number++, &maps, &maps.list[a], &maps.list[b], err));
    TRY(job_progress(ctx, 1, 1, err));
cleanup:
    head_maps_release(&maps);
    model_close(&model);
    return rc;
}

static size_t planned_maps(const struct stage_parent *parents, size_t n) {
    size_t maps = 0;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(parents[i].stage->name, "effects") == 0) maps += 1;
        if (strcmp(parents[i].stage->name, "leave_one_out") == 0) maps += 1;
        if (strcmp(parents[i].stage->name, "head_weights") == 0) maps += 2;
    }
    return maps;
}

static enum err_code agreement_plan(struct job_cost *cost, const struct config_point *point,
                                    const char *control, const struct stage_parent *parents,
                                    size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    struct job_model model;
    (void)control;
    CHECK_CONFIG(planned_maps(parents, n) >= 2, point, "of",
                 "agreement is between two orders of heads or more: name more jobs, such as the "
                 "maps of several measures or the weights of a fit");
    TRY(job_model_plan(&model, point, parents, n, err));
    const size_t heads = model.dims.L * model.dims.H;
    *cost = (struct job_cost){.load = {.estimates = 1e6 * (double)n},
                              .memory = (double)model.bytes + 32.0 * (double)(n * heads),
                              .group = 1,
                              .work = (double)n,
                              .unit = "maps",
                              .mapped = (double)model.mapped};
    cost->memory_least = cost->memory;
    (void)snprintf(cost->summary, sizeof cost->summary, "%zu maps of %zu heads", n, heads);
cleanup:
    return rc;
}

ROW_DEFINE(agreement_row, AGREEMENT_ROW);

static const char *const PARENTS[] = {"effects", "head_weights", "leave_one_out", "pretrain", NULL};

extern const struct stage stage_agreement;
const struct stage stage_agreement = {
    .name = "agreement",
    .meaning = "How far the orders of heads agree that causal maps, induction scores and the "
               "weights of fits give: over repeats of a fit, and with each other.",
    .version = 1,
    .uses = STAGE_USES_MODEL | STAGE_USES_SOURCE,
    .parents = PARENTS,
    .gathers = true,
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .columns = &agreement_row_columns,
    .plan = agreement_plan,
    .run = agreement_run,
};
