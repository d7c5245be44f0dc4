/*
 * evaluate_run.h - the keys of `evaluate` as a struct, and run() of the stage.
 */
#ifndef STAGES_EVALUATE_RUN_H
#define STAGES_EVALUATE_RUN_H

#include "activations/basis_set.h"
#include "passes/dummy_pairs.h"
#include "sources/source.h"
#include "stages/stage.h"

struct evaluate_keys {
    size_t points, functions, chunk; /* points: at most as many as the shift allows */
    double confidence;
    enum context_precision contexts;
    struct dummy_pairs dummies;
};

/* source: that of the point, with its shift. */
void evaluate_keys_read(struct evaluate_keys *k, const struct config_point *point,
                        const struct source *source);

/* T0 of the evaluated fit; for a control without a fit, that of the job's own key basis_points. */
enum err_code evaluate_basis_points(size_t *out, const struct config_point *own,
                                    const struct config_point *fit, size_t trained_points,
                                    struct err *err);

enum err_code evaluate_run(struct job_ctx *ctx, struct err *err);

#endif
