/*
 * job_model.h - the model that a job works on, at plan time and while it runs.
 *
 * It is the first of: the pretrain job that this job reads; the file of the fit that it reads; its
 * own key model.checkpoint, which may name a file or the folder of a language model. If
 * model.wpe_seed > 0, the untrained position embeddings are redrawn.
 */
#ifndef STAGES_JOB_MODEL_H
#define STAGES_JOB_MODEL_H

#include "model/checkpoint.h"
#include "sources/shared_contexts.h"
#include "stages/stage.h"

struct job_model { /* a model as plan knows it */
    struct model_dims dims;
    size_t trained_points; /* longest prompt of the training, in points; 0: unknown */
    size_t bytes;          /* of the weights in a rank's own memory, packed ones included */
    size_t packed;         /* of those: packed for the key `arithmetic` */
    size_t mapped;         /* of those in the files of a folder, which the ranks of a node share */
};

/* ERR_CONFIG where no model is named, or where model.wpe_seed > 0 and trained_points is unknown. */
enum err_code job_model_plan(struct job_model *out, const struct config_point *point,
                             const struct stage_parent *parents, size_t n, struct err *err);
enum err_code job_model_open(struct model *out, const struct job_ctx *ctx, struct err *err);

/* The arithmetic that the job asks for, for a model of its own (model_products.h). ERR_CONFIG that
 * names the key where this machine lacks the library or the instructions. */
enum err_code job_model_use_arithmetic(struct params *p, const struct job_ctx *ctx, bool trains,
                                       struct err *err);

/* The kernel of oneDNN (onednn.h) on this machine if a job with these keys uses it, else "".
 * ERR_CONFIG as above. */
enum { JOB_MODEL_KERNEL = 96 };
enum err_code job_model_kernel(char out[JOB_MODEL_KERNEL], const struct config_point *point,
                               bool onednn, struct err *err);

/* For sharing contexts of this open model with other jobs: *out, or NULL where ctx has no cache. */
const struct context_share *job_model_share(struct context_share *out, const struct job_ctx *ctx,
                                            const struct model *model);

/* model.wpe_seed of a job: that of the fit it reads, else its own. */
uint64_t job_model_wpe_seed(const struct config_point *point, const struct config_point *fit);

/* The fit that a job reads, or NULL. */
const struct config_point *job_model_fit(const struct stage_parent *parents, size_t n);
const struct job_input *job_model_fit_input(const struct job_ctx *ctx);

/* T0 of a point's key basis_points: its value, or the trained points where it is 0. ERR_CONFIG
 * where neither is known. */
enum err_code job_model_basis_points(size_t *out, const struct config_point *point,
                                     size_t trained_points, struct err *err);

#endif
