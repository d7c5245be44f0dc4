/*
 * universal - the heads that carry tasks whatever the task is: effects of heads averaged over the
 * maps of many tasks (Todd et al., ICLR 2024, section 2.3).
 *
 * One job reads every map of `effects` of one measure on one model. A task is left out if the key
 * `without` names it, or if no head has an effect on it: then the order of its heads is noise. The
 * artifact has the mean map, from which `fit` takes the heads of fv.selection = "universal".
 */
#include "stages/universal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activations/causal_map.h"
#include "base/text.h"
#include "sources/source_registry.h"
#include "stages/effects_run.h"
#include "stages/job_model.h"
#include "stages/shared_keys.h"
#include "stages/universal_rows.h"
#include "stats/interval.h"
#include "tensorfile/tensorfile.h"

static const char *const MEASURES[] = {"patching", "gradient", NULL};

static const struct config_key KEYS[] = {
    {
        .name = "measure",
        .type = CONFIG_NAME,
        .flags = CONFIG_AXIS,
        .def = "\"patching\"",
        .choices = MEASURES,
        .unit = "",
        .meaning = "Maps that are averaged: those of `effects` with this `measure`.",
    },
    {
        .name = "without",
        .type = CONFIG_TEXT,
        .flags = CONFIG_LIST | CONFIG_AXIS,
        .def = "[]",
        .unit = "",
        .meaning = "Tasks to leave out, as column `source` names them.",
    },
    {
        .name = "confidence",
        .type = CONFIG_FLOAT,
        .min = 0.5,
        .max = 0.9999,
        .def = "0.95",
        .unit = "",
        .meaning = "Level at which some head of a task must have an effect above 0, by a t test "
                   "over prompts, adjusted for the number of heads.",
    },
    {
        .name = "heads",
        .type = CONFIG_INT,
        .min = 1,
        .max = 1e6,
        .def = "10",
        .unit = "heads",
        .meaning = "Heads that have a row, those of largest mean effect.",
    },
};

ROW_DEFINE(universal_row, UNIVERSAL_ROW);

static const char EFFECTS[] = "effects"; /* tensor of both stages */

/* ---- the maps */

struct task_map {
    char source[96];
    size_t prompts, best;   /* best: the head of largest effect */
    struct interval effect; /* of this head */
    const char *reason;     /* "": it is used */
};

struct universal {
    struct job_ctx *ctx;
    struct model model;
    size_t heads;
    struct task_map *maps;
    size_t n;       /* maps read so far */
    double *values; /* [inputs, heads] mean over prompts */
    double *mean;   /* [heads] over the tasks that are used */
    uint32_t *order;
};

static void universal_release(struct universal *u) {
    free(u->order);
    free(u->mean);
    free(u->values);
    free(u->maps);
    model_close(&u->model);
}

static bool is_named(const struct config_point *point, const char *source) {
    for (size_t i = 0; i < config_list_size(point, "without"); i++)
        if (strcmp(config_list_text(point, "without", i), source) == 0) return true;
    return false;
}

/* The mean of every head over the n prompts of effect [heads, n], the interval of the largest, and
 * whether some head has one above 0. */
static enum err_code average_prompts(struct task_map *map, double *value, const float *effect,
                                     size_t heads, double confidence, struct err *err) {
    const size_t n = map->prompts;
    double *one = calloc(n + 1, sizeof *one);
    if (!one) return ERR(err, ERR_MEMORY, "no memory for the effects of %zu prompts", n);
    map->reason = "no head has an effect above 0";
    for (size_t i = 0; i < heads; i++) {
        for (size_t r = 0; r < n; r++) one[r] = (double)effect[i * n + r];
        const struct interval of = interval_t(one, n, 1 - (1 - confidence) / (double)heads);
        value[i] = of.value;
        if (of.low > 0) map->reason = "";
        if (i == 0 || of.value > map->effect.value) map->effect = of, map->best = i;
    }
    free(one);
    return ERR_OK;
}

static enum err_code read_map(struct universal *u, const struct job_input *input, struct err *err) {
    enum err_code rc = ERR_OK;
    struct tensorfile *file = NULL;
    const struct model_dims *d = &u->model.params.dims;
    struct task_map *map = &u->maps[u->n];
    TRY(tensorfile_open(&file, input->artifact, err));
    const struct tensor_info *t = tensorfile_find(file, EFFECTS);
    CHECK(t && t->type == TENSOR_F32 && t->rank == 3 && t->shape[0] == d->L && t->shape[1] == d->H,
          ERR_DATA, "%s: no effects of %zu x %zu heads", input->artifact, d->L, d->H);
    *map = (struct task_map){.prompts = t->shape[2]};
    source_name(map->source, sizeof map->source, input->point);
    TRY(average_prompts(map, u->values + u->n * u->heads, t->data, u->heads,
                        config_float(u->ctx->point, "confidence"), err));
    if (is_named(u->ctx->point, map->source)) map->reason = "named in without";
    u->n++;
cleanup:
    tensorfile_close(file);
    return rc;
}

static size_t used_maps(const struct universal *u) {
    size_t used = 0;
    for (size_t i = 0; i < u->n; i++) used += !*u->maps[i].reason;
    return used;
}

static enum err_code average_tasks(struct universal *u, struct err *err) {
    const size_t used = used_maps(u);
    if (used == 0)
        return ERR(
            err, ERR_NUMERIC,
            "all of %zu tasks are left out, the first, %s, as \"%s\": measure effects on more "
            "prompts, or on tasks that the model can do",
            u->n, u->maps[0].source, u->maps[0].reason);
    for (size_t t = 0; t < u->n; t++)
        for (size_t i = 0; !*u->maps[t].reason && i < u->heads; i++)
            u->mean[i] += u->values[t * u->heads + i] / (double)used;
    causal_rank(u->order, u->mean, u->heads);
    return ERR_OK;
}

/* ---- results */

static enum err_code write_task_row(struct universal *u, size_t t, struct err *err) {
    const struct task_map *map = &u->maps[t];
    const size_t H = u->model.params.dims.H;
    const struct universal_row row = {
        .source = map->source,
        .measure = config_text(u->ctx->point, "measure"),
        .prompts = (int64_t)map->prompts,
        .layer = (int64_t)(map->best / H),
        .head = (int64_t)(map->best % H),
        .effect = map->effect.value,
        .effect_low = map->effect.low,
        .used = !*map->reason,
        .reason = map->reason,
        .tasks = JOB_NO_INT,
        .rank = JOB_NO_INT,
    };
    return universal_row_write(u->ctx, t, &row, err);
}

/* The head of this rank, from 0; one [n] is scratch. */
static enum err_code write_head_row(struct universal *u, size_t rank, double *one,
                                    struct err *err) {
    const size_t i = u->order[rank], H = u->model.params.dims.H;
    size_t used = 0;
    for (size_t t = 0; t < u->n; t++)
        if (!*u->maps[t].reason) one[used++] = u->values[t * u->heads + i];
    const struct universal_row row = {
        .source = "all",
        .measure = config_text(u->ctx->point, "measure"),
        .prompts = JOB_NO_INT,
        .layer = (int64_t)(i / H),
        .head = (int64_t)(i % H),
        .effect = u->mean[i],
        .effect_low = interval_t(one, used, config_float(u->ctx->point, "confidence")).low,
        .used = 1,
        .reason = "",
        .tasks = (int64_t)used,
        .rank = (int64_t)rank + 1,
    };
    return universal_row_write(u->ctx, u->n + rank, &row, err);
}

static enum err_code write_universal(struct universal *u, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_dims *d = &u->model.params.dims;
    const size_t wanted = shared_keys_size(u->ctx->point, "heads");
    float *mean = calloc(u->heads, sizeof *mean);
    double *one = calloc(u->n, sizeof *one);
    CHECK(mean && one, ERR_MEMORY, "no memory for the effects of %zu heads", u->heads);
    const struct job_tensor t = {EFFECTS, 2, {d->L, d->H}, mean};
    for (size_t i = 0; i < u->n; i++) TRY(write_task_row(u, i, err));
    for (size_t i = 0; i < wanted && i < u->heads; i++) TRY(write_head_row(u, i, one, err));
    for (size_t i = 0; i < u->heads; i++) mean[i] = (float)u->mean[i];
    TRY(job_tensor(u->ctx, &t, err));
cleanup:
    free(one);
    free(mean);
    return rc;
}

static enum err_code create_universal(struct universal *u, struct err *err) {
    u->heads = u->model.params.dims.L * u->model.params.dims.H;
    u->maps = calloc(u->ctx->n_inputs, sizeof *u->maps);
    u->values = calloc(u->ctx->n_inputs * u->heads, sizeof *u->values);
    u->mean = calloc(u->heads, sizeof *u->mean);
    u->order = calloc(u->heads, sizeof *u->order);
    if (u->maps && u->values && u->mean && u->order) return ERR_OK;
    return ERR(err, ERR_MEMORY, "no memory for %zu maps of %zu heads", u->ctx->n_inputs, u->heads);
}

static enum err_code universal_run(struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    struct universal u = {.ctx = ctx};
    TRY(job_model_open(&u.model, ctx, err));
    TRY(create_universal(&u, err));
    for (size_t i = 0; i < ctx->n_inputs; i++)
        if (strcmp(ctx->inputs[i].kind, "effects") == 0) TRY(read_map(&u, &ctx->inputs[i], err));
    TRY(average_tasks(&u, err));
    TRY(write_universal(&u, err));
    TRY(job_progress(ctx, 1, 1, err));
cleanup:
    universal_release(&u);
    return rc;
}

/* ---- for other stages */

enum err_code universal_read(double *effects, bool *found, const struct job_ctx *ctx, size_t L,
                             size_t H, struct err *err) {
    enum err_code rc = ERR_OK;
    struct tensorfile *file = NULL;
    const size_t shape[] = {L, H};
    float *mean = NULL;
    *found = false;
    for (size_t i = 0; i < ctx->n_inputs && !*found; i++) {
        if (strcmp(ctx->inputs[i].kind, "universal") != 0) continue;
        mean = calloc(L * H, sizeof *mean);
        CHECK(mean, ERR_MEMORY, "no memory for the effects of %zu heads", L * H);
        TRY(tensorfile_open(&file, ctx->inputs[i].artifact, err));
        TRY(tensorfile_floats(mean, file, EFFECTS, 2, shape, err));
        for (size_t k = 0; k < L * H; k++) effects[k] = (double)mean[k];
        *found = true;
    }
cleanup:
    tensorfile_close(file);
    free(mean);
    return rc;
}

bool universal_is_read(const struct stage_parent *parents, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(parents[i].stage->name, "universal") == 0) return true;
    return false;
}

/* ---- plan */

/* Maps of other measures, and of slices of the attention output, are of something else. Induction
 * scores are of no task, and have no reading. */
static bool takes(const struct config_point *point, const struct config_point *job) {
    const bool is_map = config_has(job, "reading") || config_has(job, "measure");
    if (!is_map) return true; /* the model */
    const char *measure = EFFECTS_MEASURES[effects_measure_of(job)];
    return strcmp(config_text(point, "measure"), measure) == 0 &&
           strcmp(config_text(job, "reading"), "heads") == 0;
}

static enum err_code universal_plan(struct job_cost *cost, const struct config_point *point,
                                    const char *control, const struct stage_parent *parents,
                                    size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    struct job_model model;
    (void)control;
    TRY(job_model_plan(&model, point, parents, n, err));
    const size_t heads = model.dims.L * model.dims.H;
    *cost = (struct job_cost){.load = {.estimates = 1e6 * (double)n},
                              .memory = (double)model.bytes + 16.0 * (double)((n + 1) * heads),
                              .group = 1,
                              .work = (double)n,
                              .unit = "maps",
                              .mapped = (double)model.mapped};
    cost->memory_least = cost->memory;
    (void)snprintf(cost->summary, sizeof cost->summary, "%zu map%s of %zu heads", n, text_plural(n),
                   heads);
cleanup:
    return rc;
}

static const char *const PARENTS[] = {"effects", NULL};

extern const struct stage stage_universal;
const struct stage stage_universal = {
    .name = "universal",
    .meaning = "Heads that carry tasks whatever the task is: mean effects of heads over the maps "
               "of many tasks, and which tasks are left out.",
    .version = 1,
    .uses = STAGE_USES_MODEL,
    .parents = PARENTS,
    .takes = takes,
    .gathers = true,
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .columns = &universal_row_columns,
    .plan = universal_plan,
    .run = universal_run,
};
