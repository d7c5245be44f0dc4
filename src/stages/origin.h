/*
 * origin.h - the model a job works on, before it runs and while it runs.
 *
 * In this order: the pretrain job among what it reads; the file that the fit it reads was made on;
 * its own key model.checkpoint.  Untrained positions are redrawn where model.wpe_seed says so.
 */
#ifndef STAGES_ORIGIN_H
#define STAGES_ORIGIN_H

#include "model/checkpoint.h"
#include "stages/stage.h"

struct origin { /* a model as plan knows it */
    struct model_dims dims;
    size_t trained_points; /* 0: unknown */
};

/* ERR_CONFIG where no model is named, or model.wpe_seed cannot tell which positions are untrained.
 */
enum err_code origin_plan(struct origin *out, const struct config_point *point,
                          const struct stage_parent *parents, size_t n, struct err *err);
enum err_code origin_open(struct model *out, const struct job_ctx *ctx, struct err *err);

/* model.wpe_seed of a job: that of the fit it reads, else its own. */
uint64_t origin_wpe_seed(const struct config_point *point, const struct config_point *fit);

/* The fit among what a job reads, or NULL. */
const struct config_point *origin_fit(const struct stage_parent *parents, size_t n);
const struct job_input *origin_fit_input(const struct job_ctx *ctx);

/* T0 of a point's key basis_points: its value, or the trained points where it is 0. ERR_CONFIG
 * where neither is known. */
enum err_code origin_basis_points(size_t *out, const struct config_point *point,
                                  size_t trained_points, struct err *err);

#endif
