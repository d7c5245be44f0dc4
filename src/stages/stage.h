/*
 * stage.h - one kind of work: its keys, its rows, what one job of it does.
 *
 * A stage is one file with one `const struct stage` and one line in stage.c.  run/ builds its
 * schema from `keys` and the shared families it says it uses, plans one job per point, and calls
 * run() with a job_ctx; the stage knows nothing of ranks, files or the clock.
 */
#ifndef STAGES_STAGE_H
#define STAGES_STAGE_H

#include "base/err.h"
#include "config/config.h"
#include "job/job.h"
#include "job/planned_job.h"

enum stage_uses {
    STAGE_USES_MODEL = 1,   /* keys of a model: model.checkpoint, or a pretrain stage in `of` */
    STAGE_USES_SHAPE = 2,   /* keys of a model to be made: model.layers, ... */
    STAGE_USES_SOURCE = 4,  /* keys source.* : problem, dims and the problems' own */
    STAGE_USES_METHODS = 8, /* key `method` and the methods' own keys */
    STAGE_USES_OPTIMISER = 16,
    STAGE_USES_CONTEXTS = 32,   /* key `contexts`: how exactly keys and values are kept */
    STAGE_USES_ESTIMATORS = 64, /* key `estimator` and the estimators' own keys */
    STAGE_USES_SHIFT = 128,     /* key `shift` and the shifts' own */
    STAGE_USES_LBFGS = 256,     /* it may be the optimiser */
    STAGE_USES_DUMMIES = 512    /* key `dummies` and their fractions */
};

/* A parent as seen at plan time. */
struct stage_parent {
    const struct stage *stage;
    const struct config_point *point;
};

struct stage {
    const char *name;           /* the kind: "fit" */
    const char *meaning;        /* one sentence with its capital and full stop */
    int version;                /* raise it when the same keys would give other results */
    unsigned uses;              /* enum stage_uses */
    const char *const *parents; /* kinds that `of` may name; NULL-terminated */
    bool parent_needed;
    const struct config_key *keys;
    size_t n_keys;
    const struct job_columns *columns; /* of /tables/NAME, from STAGE_rows.h; tables add `job` */

    /* Checks what only the stage can check (points beyond positions, width not divisible by heads)
     * and fills *cost. `parents`: the jobs this one reads. ERR_CONFIG with config_where(). */
    enum err_code (*plan)(struct job_cost *cost, const struct config_point *point,
                          const struct stage_parent *parents, size_t n_parents, struct err *err);

    /* Computes one job. ERR_STOPPED after job_should_stop(), ERR_NUMERIC for a diverged loss. */
    enum err_code (*run)(struct job_ctx *ctx, struct err *err);
};

/* The registry. */
size_t stage_count(void);
const struct stage *stage_at(size_t i);
const struct stage *stage_find(const char *name); /* NULL: unknown */

/* Every row of the schema of a stage: its own, then the families it uses. */
enum err_code stage_schema(struct config_schema *out, const struct stage *s, struct err *err);

#endif
