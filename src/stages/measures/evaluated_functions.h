/*
 * evaluated_functions.h - what a job needs that looks at the vectors or states of a method on test
 * functions: model, method, prompts, and the basis of every function.
 */
#ifndef STAGES_MEASURES_EVALUATED_FUNCTIONS_H
#define STAGES_MEASURES_EVALUATED_FUNCTIONS_H

#include "model/checkpoint.h"
#include "passes/function_basis.h"
#include "sources/shared_contexts.h"
#include "sources/source.h"
#include "stages/evaluated_method.h"
#include "stages/stage.h"

struct evaluated_functions {
    struct job_ctx *ctx;
    size_t functions, chunk, T0; /* T0: that of the fit, or the key basis_points */
    enum context_precision contexts;
    size_t trained_points;
    struct model model;
    struct context_share share;
    struct evaluated_method method;
    struct source *source; /* draws a chunk */
    struct function_basis basis;
};

/* Reads the keys functions, chunk, basis_points and contexts; points: of a prompt, 0: T0. `shift`
 * applies where the stage has that key. The prompts are those of `evaluate`: the same functions. *f
 * must not move. Errors of the parts. */
enum err_code evaluated_functions_open(struct evaluated_functions *f, struct job_ctx *ctx,
                                       size_t points, struct err *err);
void evaluated_functions_close(struct evaluated_functions *f);

/* For plan: ERR_CONFIG where prompts are not of functions, or the functions are fewer than
 * `least`. */
enum err_code evaluated_functions_check(const struct config_point *point,
                                        const struct source *source, const char *stage,
                                        const struct model_dims *dims, size_t least,
                                        struct err *err);

/* The chunk that begins at `first`: how many functions. ERR_STOPPED where the run is to stop. */
enum err_code evaluated_functions_next(size_t *n, const struct evaluated_functions *f, size_t first,
                                       struct err *err);

#endif
