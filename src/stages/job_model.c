#include "stages/job_model.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "model/family.h"
#include "model/model_products.h"
#include "sources/source_registry.h"
#include "stages/folder_model.h"
#include "stages/known_models.h"
#include "stages/model_shape.h"
#include "stages/planned_file.h"
#include "stages/shared_keys.h"
#include "tensorfile/content_hash.h"

static const char *checkpoint_of(const struct config_point *point) {
    if (!point || !config_has(point, "model.checkpoint")) return NULL;
    const char *path = config_text(point, "model.checkpoint");
    return *path ? path : NULL;
}

static enum err_code no_model(const struct config_point *point, struct err *err) {
    return config_error(err, point, "model.checkpoint",
                        "no model: give model.checkpoint, or name a pretrain stage in `of`");
}

static const struct config_point *parent_of(const char *kind, const struct stage_parent *parents,
                                            size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(parents[i].stage->name, kind) == 0) return parents[i].point;
    return NULL;
}

static const struct job_input *input_of(const char *kind, const struct job_ctx *ctx) {
    for (size_t i = 0; i < ctx->n_inputs; i++)
        if (strcmp(ctx->inputs[i].kind, kind) == 0) return &ctx->inputs[i];
    return NULL;
}

const struct config_point *job_model_fit(const struct stage_parent *parents, size_t n) {
    return parent_of("fit", parents, n);
}

const struct job_input *job_model_fit_input(const struct job_ctx *ctx) {
    return input_of("fit", ctx);
}

uint64_t job_model_wpe_seed(const struct config_point *point, const struct config_point *fit) {
    if (fit && config_has(fit, "model.wpe_seed"))
        return (uint64_t)config_int(fit, "model.wpe_seed");
    return config_has(point, "model.wpe_seed") ? (uint64_t)config_int(point, "model.wpe_seed") : 0;
}

static enum err_code read_origin(struct job_model *out, const struct config_point *point,
                                 const struct stage_parent *parents, size_t n, struct err *err) {
    const struct config_point *made = parent_of("pretrain", parents, n);
    if (made) {
        out->trained_points = shared_keys_size(made, "points");
        return model_shape_read(&out->dims, made, err);
    }
    const char *path = checkpoint_of(job_model_fit(parents, n));
    if (!path) path = checkpoint_of(point);
    if (!path) return no_model(point, err);
    return known_models_read(out, path, err);
}

enum err_code job_model_plan(struct job_model *out, const struct config_point *point,
                             const struct stage_parent *parents, size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    *out = (struct job_model){0};
    TRY(read_origin(out, point, parents, n, err));
    if (out->bytes == 0) out->bytes = params_count(&out->dims) * sizeof(float); /* no folder */
    out->packed = model_products_bytes(&out->dims, shared_keys_arithmetic(point));
    out->bytes += out->packed;
    if (job_model_wpe_seed(point, job_model_fit(parents, n)) == 0) return rc;
    CHECK_CONFIG(family_of(&out->dims)->embedding == EMBEDDING_READ_IN, point, "model.wpe_seed",
                 "only positions of models of numbers are redrawn: set it to 0");
    CHECK_CONFIG(family_of(&out->dims)->names.wpe, point, "model.wpe_seed",
                 "a %s has none that could be redrawn: set it to 0", family_of(&out->dims)->title);
    if (out->trained_points > 0) return rc;
    rc = config_error(
        err, point, "model.wpe_seed",
        "the untrained positions are unknown, because the metadata of the model's file "
        "has no trained_points: set it to 0");
cleanup:
    return rc;
}

/* The file of a pretrain job; that of a language model does not say its sizes, but the job does. */
static enum err_code open_trained(struct model *out, const struct job_input *made,
                                  struct err *err) {
    struct model_dims dims;
    if (!source_is_text(made->point)) return model_open(out, made->artifact, err);
    const enum err_code rc = model_shape_read(&dims, made->point, err);
    return rc == ERR_OK ? model_open_as(out, made->artifact, &dims, err) : rc;
}

/* Why this machine cannot compute the products, at the key that asks for them. */
static enum err_code name_key(const struct config_point *point, const struct err *why,
                              struct err *err) {
    const bool floats = shared_keys_arithmetic(point) == ARITHMETIC_F32;
    if (why->code != ERR_CONFIG) return ERR(err, why->code, "%s", why->msg);
    return config_error(err, point, "arithmetic", "%s%s", floats ? "gemm = \"onednn\": " : "",
                        why->msg);
}

enum err_code job_model_kernel(char out[JOB_MODEL_KERNEL], const struct config_point *point,
                               bool onednn, struct err *err) {
    struct err why = {0};
    struct products *p = NULL;
    *out = '\0';
    if (!config_has(point, "arithmetic")) return ERR_OK;
    const enum arithmetic a = shared_keys_arithmetic(point);
    if (a == ARITHMETIC_F32 && !onednn) return ERR_OK;
    if (products_open(&p, a, &why) != ERR_OK) return name_key(point, &why, err);
    (void)snprintf(out, JOB_MODEL_KERNEL, "%s", onednn_kernel(p->library));
    products_close(p);
    return ERR_OK;
}

enum err_code job_model_use_arithmetic(struct params *p, const struct job_ctx *ctx, bool trains,
                                       struct err *err) {
    enum err_code rc = ERR_OK;
    const struct model_arithmetic a = {shared_keys_arithmetic(ctx->point), ctx->onednn};
    struct err why = {0};
    if (model_products_use(p, &a, trains, &why) != ERR_OK) return name_key(ctx->point, &why, err);
    const char *kernel = p->products ? onednn_kernel(p->products->library) : "";
    CHECK_CONFIG(!p->products || !ctx->kernel || strcmp(kernel, ctx->kernel) == 0, ctx->point,
                 "arithmetic",
                 "this rank has %s, rank 0 has %s: use ranks of one kind, or ONEDNN_MAX_CPU_ISA",
                 kernel, ctx->kernel);
cleanup:
    return rc;
}

static enum err_code open_weights(struct model *out, const struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct job_input *made = input_of("pretrain", ctx), *fit = job_model_fit_input(ctx);
    const char *path = made ? made->artifact : NULL;
    const uint64_t seed = job_model_wpe_seed(ctx->point, fit ? fit->point : NULL);
    if (!path && fit) path = checkpoint_of(fit->point);
    if (!path) path = checkpoint_of(ctx->point);
    if (!path) return no_model(ctx->point, err);
    if (file_is_folder(path)) return folder_model_open(out, ctx, path, err);
    TRY(made ? open_trained(out, made, err) : model_open(out, path, err));
    rc = planned_file_check(ctx, path, out->file, err);
    if (rc == ERR_OK && seed > 0) rc = model_redraw_positions(out, seed, err);
    if (rc != ERR_OK) model_close(out);
cleanup:
    return rc;
}

enum err_code job_model_open(struct model *out, const struct job_ctx *ctx, struct err *err) {
    enum err_code rc = open_weights(out, ctx, err);
    if (rc != ERR_OK) return rc;
    rc = job_model_use_arithmetic(&out->params, ctx, false, err);
    if (rc != ERR_OK) model_close(out);
    return rc;
}

static void copy_folder_hash(char out[HASH_HEX], const struct job_ctx *ctx) {
    const struct job_input *fit = job_model_fit_input(ctx);
    const char *path = fit ? checkpoint_of(fit->point) : NULL;
    if (!path) path = checkpoint_of(ctx->point);
    (void)snprintf(out, HASH_HEX, "%s", folder_model_hash(ctx, path));
}

/* The model that a pretraining made is known by that job, any other by the content of its file. */
const struct context_share *job_model_share(struct context_share *out, const struct job_ctx *ctx,
                                            const struct model *model) {
    const struct job_input *made = input_of("pretrain", ctx), *fit = job_model_fit_input(ctx);
    const uint64_t seed = job_model_wpe_seed(ctx->point, fit ? fit->point : NULL);
    char content[HASH_HEX];
    struct hash h;
    if (!ctx->contexts) return NULL;
    if (!made && model->file) content_hash(content, model->file);
    if (!made && !model->file) copy_folder_hash(content, ctx);
    hash_begin(&h);
    hash_text(&h, made ? made->identity : content);
    hash_bytes(&h, &seed, sizeof seed);
    hash_text(&h, config_text(ctx->point, "arithmetic"));
    out->cache = ctx->contexts;
    hash_end(out->model, &h);
    return out;
}

enum err_code job_model_basis_points(size_t *out, const struct config_point *point,
                                     size_t trained_points, struct err *err) {
    const bool has = config_has(point, "basis_points"); /* a fit without a basis does not */
    const size_t given = has ? shared_keys_size(point, "basis_points") : 0;
    *out = given > 0 ? given : trained_points;
    if (*out > 0) return ERR_OK;
    return config_error(err, point, "basis_points",
                        "0 means the model's trained points, which the metadata of its file does "
                        "not give: set basis_points");
}
