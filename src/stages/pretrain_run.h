/*
 * pretrain_run.h - the keys of `pretrain` as a struct, the curriculum they describe, and run() of
 * the stage.
 */
#ifndef STAGES_PRETRAIN_RUN_H
#define STAGES_PRETRAIN_RUN_H

#include "optim/optim_options.h"
#include "sources/source.h"
#include "stages/shared_keys.h"

struct pretrain_keys {
    struct model_dims dims;
    struct adam adam;
    struct schedule schedule;
    size_t batch, points, shards;
    size_t dims_start, dims_step, points_start, points_step;
    int64_t interval; /* 0: no curriculum */
    int64_t steps, log_every, checkpoint_every, repeat;
    int64_t validate_every; /* 0: no validation */
    size_t validation_prompts;
    enum arithmetic arithmetic;
};

enum err_code pretrain_keys_read(struct pretrain_keys *k, const struct config_point *point,
                                 struct err *err);

/* Active coordinates and points of a step (from 1): start + one increment for every `interval`
 * steps done, up to the full number. Garg et al., NeurIPS 2022, appendix A.2. */
size_t pretrain_active_dims(const struct pretrain_keys *k, int64_t step);
size_t pretrain_active_points(const struct pretrain_keys *k, int64_t step);

enum { PRETRAIN_EARLY = 100 }; /* first steps, which are all logged */

/* Number of the row that a step writes, or -1: the early steps, then every log_every and every
 * validation, and the last. */
int64_t pretrain_row_number(const struct pretrain_keys *k, int64_t step);

/* Metadata of a trained language model: its config.json. */
#define PRETRAIN_CONFIG_NOTE "config.json"

enum err_code pretrain_run(struct job_ctx *ctx, struct err *err);

#endif
