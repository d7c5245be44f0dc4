/*
 * pretrain - a transformer learns in context: a function class (Garg et al., NeurIPS 2022), or text
 * tasks.
 */
#include "stages/pretrain_run.h"

#include <stdio.h>

#include "base/text.h"
#include "model/model_products.h"
#include "passes/flops.h"
#include "passes/train_step.h"
#include "sources/source_registry.h"
#include "stages/model_shape.h"
#include "stages/pretrain_rows.h"
#include "stages/pretrain_source.h"

#define INTEGER(key, low, high, value, what, text)                                                 \
    {                                                                                              \
        .name = (key), .type = CONFIG_INT, .min = (low), .max = (high), .def = (value),            \
        .unit = (what), .meaning = (text)                                                          \
    }
#define INTEGER_FLAGS(key, flag, low, high, value, what, text)                                     \
    {                                                                                              \
        .name = (key), .type = CONFIG_INT, .flags = (flag), .min = (low), .max = (high),           \
        .def = (value), .unit = (what), .meaning = (text)                                          \
    }

static const struct config_key KEYS[] = {
    INTEGER_FLAGS("repeat", CONFIG_AXIS, 0, 1e6, "0", "",
                  "Number of the repetition; each has its own initial weights and prompts."),
    INTEGER("steps", 1, 1e9, "10000", "steps", "Number of weight updates."),
    INTEGER("batch", 1, 1e6, "64", "prompts", "Number of prompts in each update."),
    INTEGER("points", 1, 1e6, "16", "points",
            "Points per prompt after the curriculum: the trained length; of text the shots and the "
            "query."),
    INTEGER("curriculum.interval", 0, 1e9, "0", "steps",
            "Updates between two increases of the curriculum; 0 turns it off. Text has none, since "
            "every prompt trains all numbers of shots."),
    INTEGER("curriculum.dims_start", 1, 1e6, "5", "",
            "Number of nonzero coordinates of x at the start of the curriculum."),
    INTEGER("curriculum.dims_step", 0, 1e6, "1", "",
            "Number of coordinates added at each increase."),
    INTEGER("curriculum.points_start", 1, 1e6, "11", "points",
            "Points per prompt at the start of the curriculum."),
    INTEGER("curriculum.points_step", 0, 1e6, "2", "points", "Points added at each increase."),
    INTEGER("shards", 1, 4096, "4", "",
            "Number of equal parts of a batch; a group has at most as many ranks."),
    INTEGER("log_every", 1, 1e9, "100", "steps",
            "Updates between two result rows after the first 100 updates."),
    INTEGER_FLAGS("validation.every", CONFIG_SINCE, 0, 1e9, "0", "steps",
                  "Updates between two measurements of the loss on held-out prompts; 0: none."),
    INTEGER_FLAGS("validation.prompts", CONFIG_SINCE, 1, 1e6, "256", "prompts",
                  "Number of held-out prompts."),
    INTEGER_FLAGS("group", CONFIG_SILENT, 1, 4096, "1", "ranks",
                  "Number of ranks that work on one job together."),
    INTEGER_FLAGS("checkpoint_every", CONFIG_SILENT, 1, 1e9, "500", "steps",
                  "Updates between two checkpoints."),
};

enum err_code pretrain_keys_read(struct pretrain_keys *k, const struct config_point *point,
                                 struct err *err) {
    *k = (struct pretrain_keys){
        .batch = shared_keys_size(point, "batch"),
        .points = shared_keys_size(point, "points"),
        .shards = shared_keys_size(point, "shards"),
        .dims_start = shared_keys_size(point, "curriculum.dims_start"),
        .dims_step = shared_keys_size(point, "curriculum.dims_step"),
        .points_start = shared_keys_size(point, "curriculum.points_start"),
        .points_step = shared_keys_size(point, "curriculum.points_step"),
        .interval = config_int(point, "curriculum.interval"),
        .steps = config_int(point, "steps"),
        .log_every = config_int(point, "log_every"),
        .checkpoint_every = config_int(point, "checkpoint_every"),
        .repeat = config_int(point, "repeat"),
        .validate_every = config_int(point, "validation.every"),
        .validation_prompts = shared_keys_size(point, "validation.prompts"),
        .arithmetic = shared_keys_arithmetic(point),
    };
    optimiser_read(&k->adam, &k->schedule, point, k->steps);
    return model_shape_read(&k->dims, point, err);
}

static size_t rise(size_t start, size_t step_size, size_t end, int64_t interval, int64_t step) {
    if (interval == 0 || start >= end) return end;
    size_t value = start + step_size * (size_t)((step - 1) / interval);
    return value < end ? value : end;
}

size_t pretrain_active_dims(const struct pretrain_keys *k, int64_t step) {
    return rise(k->dims_start, k->dims_step, k->dims.inputs, k->interval, step);
}

size_t pretrain_active_points(const struct pretrain_keys *k, int64_t step) {
    return rise(k->points_start, k->points_step, k->points, k->interval, step);
}

/* Multiples of `every` among the steps after the early ones, up to `step`. */
static int64_t multiples(int64_t every, int64_t step) {
    return step / every - PRETRAIN_EARLY / every;
}

static int64_t common_multiple(int64_t a, int64_t b) {
    int64_t x = a, y = b;
    while (y > 0) {
        const int64_t rest = x % y;
        x = y, y = rest;
    }
    return a / x * b;
}

int64_t pretrain_row_number(const struct pretrain_keys *k, int64_t step) {
    const int64_t log = k->log_every, validate = k->validate_every;
    if (step <= PRETRAIN_EARLY) return step - 1;
    int64_t rows = PRETRAIN_EARLY + multiples(log, step);
    if (validate > 0)
        rows += multiples(validate, step) - multiples(common_multiple(log, validate), step);
    if (step % log == 0 || (validate > 0 && step % validate == 0)) return rows - 1;
    return step == k->steps ? rows : -1;
}

struct rise_keys { /* one of the two things that a curriculum raises */
    const char *start_key, *step_key, *what;
    size_t start, step_size, end, reached;
};

/* A model is recorded, and its range is reported, as trained on all points and coordinates, so the
 * last steps must have them. A start beyond the end is refused, except for the default, which then
 * means all. */
static enum err_code check_rise(const struct rise_keys *r, const struct pretrain_keys *k,
                                size_t default_start, const struct config_point *point,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    CHECK_CONFIG(r->start <= r->end || r->start == default_start, point, r->start_key,
                 "%zu is beyond the end of the curriculum at %zu %s: lower it", r->start, r->end,
                 r->what);
    if (r->reached >= r->end) return ERR_OK;
    CHECK_CONFIG(r->step_size > 0, point, r->step_key,
                 "0: the curriculum stays at %zu of %zu %s: raise it, or set curriculum.interval = "
                 "0 to train with all from the first step",
                 r->start, r->end, r->what);
    const size_t rises = (r->end - r->start + r->step_size - 1) / r->step_size;
    rc = config_error(
        err, point, "curriculum.interval",
        "the curriculum reaches only %zu of %zu %s in %lld steps: raise steps to %.0f "
        "or more, or lower the interval",
        r->reached, r->end, r->what, (long long)k->steps, (double)rises * (double)k->interval + 1);
cleanup:
    return rc;
}

enum { DIMS_START = 5, POINTS_START = 11 }; /* defaults, as in KEYS */

static enum err_code check_curriculum(const struct pretrain_keys *k,
                                      const struct config_point *point, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct rise_keys points = {"curriculum.points_start",
                                     "curriculum.points_step",
                                     "points",
                                     k->points_start,
                                     k->points_step,
                                     k->points,
                                     pretrain_active_points(k, k->steps)},
                           dims = {"curriculum.dims_start",
                                   "curriculum.dims_step",
                                   "coordinates",
                                   k->dims_start,
                                   k->dims_step,
                                   k->dims.inputs,
                                   pretrain_active_dims(k, k->steps)};
    if (k->interval == 0) return ERR_OK;
    TRY(check_rise(&points, k, POINTS_START, point, err));
    TRY(check_rise(&dims, k, DIMS_START, point, err));
cleanup:
    return rc;
}

static enum err_code check_functions(const struct pretrain_keys *k,
                                     const struct config_point *point, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(shared_keys_check_points(point, "points", k->points, &k->dims, err));
    TRY(shared_keys_check_room(point, k->batch, k->points, &k->dims, err));
    TRY(check_curriculum(k, point, err));
cleanup:
    return rc;
}

static enum err_code check_text(const struct pretrain_keys *k, const struct config_point *point,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    CHECK_CONFIG(k->interval == 0, point, "curriculum.interval",
                 "text has no curriculum, since every prompt trains all numbers of shots up to its "
                 "own: set it to 0");
    TRY(shared_keys_check_room(point, k->batch, k->dims.positions, &k->dims, err));
cleanup:
    return rc;
}

static enum err_code check(const struct pretrain_keys *k, const struct source *source,
                           const struct config_point *point, struct err *err) {
    enum err_code rc = ERR_OK;
    if (source_info(source)->answers)
        TRY(check_text(k, point, err));
    else
        TRY(check_functions(k, point, err));
    CHECK_CONFIG(
        k->batch % k->shards == 0, point, "shards",
        "a batch of %zu prompts cannot be cut into %zu equal shards: change shards or batch",
        k->batch, k->shards);
    TRY(shared_keys_check_group(point, k->shards, err));
cleanup:
    return rc;
}

static double memory_needed(const struct pretrain_keys *k, const struct source *source,
                            size_t group) {
    const double packed = (double)model_products_bytes(&k->dims, k->arithmetic);
    size_t own = (k->shards + group - 1) / group; /* shards of the rank that has most */
    double blocks = (double)(4 + own + 1) * 4 * (double)params_count(&k->dims);
    double prompts = (double)source_bytes(source, k->batch, k->points);
    if (k->validate_every > 0)
        prompts += (double)source_bytes(source, k->batch / k->shards, k->points);
    return blocks + packed + prompts +
           (double)train_step_bytes(&k->dims, k->batch / k->shards, k->points);
}

/* Prompts of all steps, in units of one of all points: the curriculum begins with shorter ones. */
static double all_prompts(const struct pretrain_keys *k) {
    const int64_t stretch = k->interval > 0 ? k->interval : k->steps;
    double points = 0;
    for (int64_t step = 1; step <= k->steps; step += stretch) {
        int64_t n = k->steps - step + 1 < stretch ? k->steps - step + 1 : stretch;
        points += (double)n * (double)pretrain_active_points(k, step);
    }
    return points * (double)k->batch / (double)k->points;
}

/* Forward passes over the held-out prompts, of which an update takes three. */
static double validation_prompts(const struct pretrain_keys *k) {
    if (k->validate_every == 0) return 0;
    const double times = (double)(k->steps / k->validate_every) + 2;
    return times * (double)k->validation_prompts;
}

static void fill_cost(struct job_cost *cost, const struct pretrain_keys *k,
                      const struct source *source, const struct pretrain_prompt *prompt) {
    const double prompts = all_prompts(k), V = (double)k->dims.vocabulary;
    cost->checkpoints = true;
    cost->work = prompts * prompt->tokens;
    cost->unit = "tokens";
    flops_add_training(&cost->load, &k->dims,
                       cost->work + validation_prompts(k) * prompt->tokens / 3, prompt->tokens / 2);
    cost->load.training += /* logits twice, two gradients */
        4 * flops_logits(&k->dims, prompts * prompt->answers, V);
    cost->memory = cost->memory_least = memory_needed(k, source, (size_t)cost->group);
    (void)snprintf(cost->summary, sizeof cost->summary,
                   "%lld step%s x %zu prompt%s x %zu point%s, %.3g M weights", (long long)k->steps,
                   text_plural((size_t)k->steps), k->batch, text_plural(k->batch), k->points,
                   text_plural(k->points), (double)params_weights(&k->dims) / 1e6);
}

enum { MEASURED = 64 }; /* prompts of text whose lengths predict the cost */

static enum err_code pretrain_plan(struct job_cost *cost, const struct config_point *point,
                                   const char *control, const struct stage_parent *parents,
                                   size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    struct pretrain_keys k;
    struct pretrain_prompt prompt;
    struct source *source = NULL;
    (void)control, (void)parents, (void)n;
    TRY(pretrain_keys_read(&k, point, err));
    TRY(pretrain_source_open(&source, &k, point, 0, "plan", MEASURED, err));
    TRY(check(&k, source, point, err));
    TRY(pretrain_source_measure(&prompt, source, &k, MEASURED, err));
    *cost = (struct job_cost){.group = (int)config_int(point, "group")};
    fill_cost(cost, &k, source, &prompt);
cleanup:
    source_close(source);
    return rc;
}

ROW_DEFINE(pretrain_row, PRETRAIN_ROW);

static const char *const PARENTS[] = {NULL};

extern const struct stage stage_pretrain;
const struct stage stage_pretrain = {
    .name = "pretrain",
    .meaning = "Train a transformer to learn a function class, or text tasks, in context.",
    .version = 2,
    .uses = STAGE_USES_SHAPE | STAGE_USES_SOURCE | STAGE_USES_OPTIMISER,
    .parents = PARENTS,
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .columns = &pretrain_row_columns,
    .plan = pretrain_plan,
    .run = pretrain_run,
};
