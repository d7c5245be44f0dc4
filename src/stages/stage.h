/*
 * stage.h - a kind of job: its keys, its rows, its cost, and what it computes; the registry of
 * them.
 *
 * A stage is one file with one `const struct stage` and one line in stage.c. Its schema is `keys`
 * plus the families of shared keys that `uses` names (shared_keys.h). A point of its axes is one
 * job, which passes through the stage twice:
 *
 *   plan()  when a config is read: checks the keys against the model and each other, and predicts
 *           time and memory. It draws nothing and allocates nothing large.
 *   run()   on a worker: draws prompts, turns them into contexts and query rows
 *           (sources/prompt_batch.h), runs passes, and writes rows (NAME_rows.h) and tensors
 *           through job.h.
 *
 * A stage does not depend on ranks, files or the clock; it acts only through its struct job_ctx.
 */
#ifndef STAGES_STAGE_H
#define STAGES_STAGE_H

#include "base/err.h"
#include "config/config.h"
#include "job/job.h"
#include "job/planned_job.h"

/* Families of shared keys: shared_keys_add() has the rows of each. */
enum stage_uses {
    STAGE_USES_MODEL = 1,       /* a trained model: model.checkpoint, model.wpe_seed */
    STAGE_USES_SHAPE = 2,       /* a model to train: model.layers, model.heads, ... */
    STAGE_USES_SOURCE = 4,      /* source.*, with the keys of each problem */
    STAGE_USES_METHODS = 8,     /* method, with the keys of each method */
    STAGE_USES_OPTIMISER = 16,  /* optimiser.* */
    STAGE_USES_CONTEXTS = 32,   /* contexts: precision of cached keys and values */
    STAGE_USES_ESTIMATORS = 64, /* estimator, with the keys of each estimator */
    STAGE_USES_SHIFT = 128,     /* shift, with the keys of each shift */
    STAGE_USES_LBFGS = 256,     /* optimiser.name may be "lbfgs" */
    STAGE_USES_DUMMIES = 512    /* dummies, dummy_fractions */
};

/* A job that this one reads, as plan() sees it. */
struct stage_parent {
    const struct stage *stage;
    const struct config_point *point;
};

struct stage {
    const char *name;           /* the kind: "fit" */
    const char *meaning;        /* one sentence with its capital and full stop */
    int version;                /* part of every job's identity: raise it when the same keys would
                                   give other results */
    unsigned uses;              /* bitwise or of enum stage_uses */
    const char *const *parents; /* kinds that `of` may name; NULL-terminated */
    /* Whether a job of this point may read a job of `of` with these keys; NULL: any. Others are
     * left out, so that a stage may name fits of methods that do not concern it. */
    bool (*takes)(const struct config_point *point, const struct config_point *job);
    bool gathers; /* a job reads all jobs of `of` that are of its source, instead of one: see
                     run/plan/plan_gather.h */
    const char *const *context_keys; /* keys that the contexts of its jobs depend on, where jobs may
                                        share them; or with a '!' before each, those they do not
                                        depend on. "source.": all of these; NULL: none share */
    const struct config_key *keys;
    size_t n_keys;
    const struct config_recipe *recipes; /* of its key `recipe` (schema.h); NULL: it has none */
    /* Whether a job whose keys `reader` and `setting` have these values reads the key (schema.h).
     * NULL: every job reads all of its keys. */
    const char *reader, *setting;
    bool (*reads)(const char *value, const char *setting, const char *key);
    const struct job_columns *columns; /* of /tables/NAME, from STAGE_rows.h; tables add `job` */
    const struct job_columns *text_columns; /* the same where prompts are of token ids; NULL: those
                                               above */
    const char *zero_is_none; /* column of integers whose 0 in a stored row means that the job has
                                 none: tables show a missing cell. NULL: there is none */

    /* Checks what the schema cannot (points beyond the model's positions, heads that do not divide
     * the width) and fills *cost. control: NULL, or the method of its key `also` that the job is
     * for. Errors: config_error(), ERR_DATA for an unreadable model. */
    enum err_code (*plan)(struct job_cost *cost, const struct config_point *point,
                          const char *control, const struct stage_parent *parents, size_t n_parents,
                          struct err *err);

    /* Computes one job. ERR_STOPPED after job_should_stop(), ERR_NUMERIC for a diverged loss; in a
     * group every rank calls it, and rank 0 of the group writes the results. */
    enum err_code (*run)(struct job_ctx *ctx, struct err *err);
};

/* The registry. */
size_t stage_count(void);
const struct stage *stage_at(size_t i);
const struct stage *stage_find(const char *name); /* NULL: unknown */

/* The columns of the rows of a job: of all jobs of a stage in a config, since source.kind is no
 * axis. */
const struct job_columns *stage_columns(const struct stage *s, const struct config_point *point);

/* Every row of the schema of a stage: its own, then the families it uses. */
enum err_code stage_schema(struct config_schema *out, const struct stage *s, struct err *err);

#endif
