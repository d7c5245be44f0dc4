/*
 * evaluate_text.h - `evaluate` where prompts are of token ids: one job, one number of shots, one
 * row. plan() and run() of the stage, with their arguments, for such points.
 */
#ifndef STAGES_EVALUATE_TEXT_H
#define STAGES_EVALUATE_TEXT_H

#include "stages/stage.h"

struct evaluate_text_basis;
struct params;

enum err_code evaluate_text_plan(struct job_cost *cost, const struct config_point *point,
                                 const char *control, const struct stage_parent *parents, size_t n,
                                 struct err *err);
enum err_code evaluate_text_run(struct job_ctx *ctx, struct err *err);

/* The basis prompt that each item needs under a fit. ERR_CONFIG where neither the model nor the fit
 * tells its points. */
enum err_code evaluate_text_basis_find(struct evaluate_text_basis *out,
                                       const struct config_point *point,
                                       const struct config_point *fit, size_t trained_points,
                                       const struct params *params, struct err *err);

#endif
