/*
 * compare_run.h - the keys of `compare` as a struct, and run() of the stage.
 */
#ifndef STAGES_MEASURES_COMPARE_RUN_H
#define STAGES_MEASURES_COMPARE_RUN_H

#include "passes/query_states.h"
#include "stages/stage.h"

struct compare_keys {
    size_t k[QUERY_STATES_MOST], n_k; /* numbers of examples: first that of the reference */
    size_t points;                    /* of a prompt: the largest k and the query */
    size_t axes;                      /* at most the width of the model */
    double confidence;
    bool keeps_states;
};

/* The list `k` may be longer than there is room for: plan refuses it. trained_points: of the
 * model; 0: unknown, and with it the reference where the key is 0. */
void compare_keys_read(struct compare_keys *c, const struct config_point *point,
                       const struct model_dims *dims, size_t trained_points);

enum err_code compare_run(struct job_ctx *ctx, struct err *err);

#endif
