/*
 * error_names.h - what the errors of evaluations and estimators are: "mean squared error" or
 * "share of wrong signs", by the loss of the source.
 */
#ifndef RUN_TABLES_ERROR_NAMES_H
#define RUN_TABLES_ERROR_NAMES_H

#include "run/plan/plan.h"

/* prompt_loss_error_name() of the source of a point. The errors of source_open(). */
enum err_code error_names_of_point(const char **out, const struct config_point *point,
                                   struct err *err);

/* Appends the name for the jobs of a stage; where they differ, the name for each problem, in the
 * order of the config: "mean squared error (linear), share of wrong signs (linear_classification)".
 * The errors of source_open(), ERR_MEMORY. */
enum err_code error_names_of_stage(struct text *out, const struct plan *p, size_t stage,
                                   struct err *err);

#endif
