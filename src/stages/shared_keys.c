#include "stages/shared_keys.h"

#include <string.h>

#include "estimators/estimator.h"
#include "methods/method.h"
#include "optim/optim_options.h"
#include "passes/dummy_pairs.h"
#include "sources/source_registry.h"
#include "stages/model_shape.h"

static const struct config_key MODEL_KEYS[] = {
    {
        .name = "model.checkpoint",
        .type = CONFIG_TEXT,
        .flags = CONFIG_PATH | CONFIG_OPTIONAL,
        .unit = "",
        .meaning = "Trained model, file or folder; omit it where `of` gives it.",
    },
    {
        .name = "model.wpe_seed",
        .type = CONFIG_INT,
        .flags = CONFIG_AXIS,
        .max = 1e9,
        .def = "0",
        .unit = "",
        .meaning = "Seed that redraws untrained positions, or 0; evaluations share it.",
    },
};

static const char *const PRECISIONS[] = {"single", "half", NULL};
static const struct config_key CONTEXT_KEYS[] = {{
    .name = "contexts",
    .type = CONFIG_NAME,
    .flags = CONFIG_AXIS,
    .def = "\"single\"",
    .choices = PRECISIONS,
    .unit = "",
    .meaning = "Precision of cached keys and values; half: 11 significant bits.",
}};

static const char *const ARITHMETIC_NAMES[] = {"f32", "bf16x3", "bf16x2", "bf16", NULL};
static const struct config_key ARITHMETIC_KEYS[] = {{
    .name = "arithmetic",
    .type = CONFIG_NAME,
    .flags = CONFIG_AXIS | CONFIG_SINCE,
    .def = "\"f32\"",
    .choices = ARITHMETIC_NAMES,
    .unit = "",
    .meaning = "Products with weights: f32, or in bfloat16 parts by oneDNN.",
}};

/* The order of the families is the order of the axes, so of the jobs: new ones go to the end. */
enum err_code shared_keys_add(struct config_schema *out, unsigned uses, struct err *err) {
    enum err_code rc = ERR_OK;
    if (uses & STAGE_USES_MODEL)
        TRY(config_schema_add(out, MODEL_KEYS, sizeof MODEL_KEYS / sizeof *MODEL_KEYS, err));
    if (uses & STAGE_USES_SHAPE) TRY(model_shape_schema(out, err));
    if (uses & STAGE_USES_SOURCE) TRY(source_schema(out, err));
    if (uses & STAGE_USES_METHODS) TRY(method_schema(out, true, err));
    if (uses & STAGE_USES_OPTIMISER) TRY(optimiser_schema(out, uses & STAGE_USES_LBFGS, err));
    if (uses & STAGE_USES_ESTIMATORS) TRY(estimator_schema(out, err));
    if (uses & STAGE_USES_CONTEXTS) TRY(config_schema_add(out, CONTEXT_KEYS, 1, err));
    if (uses & STAGE_USES_SHIFT) TRY(source_shift_schema(out, err));
    if (uses & STAGE_USES_DUMMIES) TRY(config_schema_add(out, DUMMIES_KEYS, DUMMIES_KEYS_N, err));
    if (uses & (STAGE_USES_MODEL | STAGE_USES_SHAPE))
        TRY(config_schema_add(out, ARITHMETIC_KEYS, 1, err));
cleanup:
    return rc;
}

size_t shared_keys_size(const struct config_point *point, const char *key) {
    return (size_t)config_int(point, key);
}

size_t shared_keys_chunk(const struct config_point *point, size_t n) {
    const size_t chunk = shared_keys_size(point, "chunk");
    return chunk < n ? chunk : n;
}

enum context_precision shared_keys_contexts(const struct config_point *point) {
    return strcmp(config_text(point, "contexts"), "half") == 0 ? CONTEXT_HALF : CONTEXT_SINGLE;
}

enum arithmetic shared_keys_arithmetic(const struct config_point *point) {
    const char *name = config_has(point, "arithmetic") ? config_text(point, "arithmetic") : NULL;
    return arithmetic_named(name ? name : ARITHMETIC_NAMES[0]);
}

enum err_code shared_keys_check_points(const struct config_point *point, const char *key,
                                       size_t points, const struct model_dims *dims,
                                       struct err *err) {
    if (points <= model_points(dims)) return ERR_OK;
    return config_error(err, point, key,
                        "%zu points are beyond the model's positions, which hold %zu points (%zu "
                        "tokens): lower %s or use a model with more positions",
                        points, model_points(dims), dims->positions, key);
}

enum err_code shared_keys_check_room(const struct config_point *point, size_t prompts,
                                     size_t points, const struct model_dims *dims,
                                     struct err *err) {
    const double tokens = 2 * (double)points, E = (double)dims->E, H = (double)dims->H;
    const double floats = ((double)dims->L + 1) * (double)prompts * tokens * (32 * E + H * tokens);
    if (floats < 0x1p56) return ERR_OK;
    return config_error(
        err, point, "points",
        "%zu prompts of %zu points at once through %zu layers of width %zu would take "
        "%.0e bytes: lower one of them",
        prompts, points, dims->L, dims->E, 4 * floats);
}

enum err_code shared_keys_check_group(const struct config_point *point, size_t shards,
                                      struct err *err) {
    const size_t ranks = shared_keys_size(point, "group");
    if (ranks <= shards) return ERR_OK;
    return config_error(
        err, point, "group",
        "%zu ranks for %zu shards leave some ranks idle: raise shards or lower group", ranks,
        shards);
}
