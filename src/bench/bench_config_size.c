#include "bench/bench_config_size.h"

#include <string.h>

#include "base/file.h"
#include "run/plan/plan.h"
#include "stages/job_model.h"
#include "stages/shared_keys.h"
#include "stages/stage_schemas.h"

/* NULL: the config has no job of this kind. */
static const struct planned_job *first_of(const struct plan *p, const char *kind) {
    for (size_t j = 0; j < p->n_jobs; j++)
        if (strcmp(p->stages[p->jobs[j].stage].kind->name, kind) == 0) return &p->jobs[j];
    return NULL;
}

static enum err_code model_of(struct job_model *out, const struct plan *p,
                              const struct planned_job *job, struct err *err) {
    struct stage_parent parents[JOB_PARENTS];
    for (size_t i = 0; i < job->n_parents; i++) {
        const struct planned_job *parent = &p->jobs[job->parents[i]];
        parents[i] = (struct stage_parent){p->stages[parent->stage].kind, parent->point};
    }
    return job_model_plan(out, job->point, parents, job->n_parents, err);
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* The size `standard` with the model, lengths and batches of the config; prompts are limited to
 * four mini-batches. */
static enum err_code from_plan(struct bench_size *out, const struct plan *p, const char *path,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    struct job_model model;
    const struct planned_job *fit = first_of(p, "fit"), *pretrain = first_of(p, "pretrain");
    *out = *bench_size_find("standard");
    CHECK(fit, ERR_CONFIG,
          "%s: a benchmark takes its size from a stage fit, and there is none: add one", path);
    TRY(model_of(&model, p, fit, err));
    out->name = path;
    out->dims = model.dims;
    const bool has = config_has(fit->point, "points"); /* not every method reads it */
    out->points = has ? shared_keys_size(fit->point, "points") : model.trained_points;
    out->trained_points = model.trained_points ? model.trained_points : out->points;
    out->trained_points = least(out->trained_points, out->points);
    out->batch = shared_keys_size(fit->point, "batch");
    out->prompts = least(shared_keys_size(fit->point, "prompts"), 4 * out->batch);
    out->few = least(out->few, out->prompts);
    if (pretrain) out->pretrain_prompts = shared_keys_size(pretrain->point, "batch");
cleanup:
    return rc;
}

static enum err_code from_config(struct bench_size *out, const char *path, struct err *err) {
    enum err_code rc = ERR_OK;
    struct stage_schemas schemas = {0};
    struct config *config = NULL;
    struct plan plan = {0};
    TRY(stage_schemas_init(&schemas, err));
    TRY(stage_schemas_open(&config, &schemas, path, NULL, 0, err));
    TRY(plan_make(&plan, config, err));
    TRY(from_plan(out, &plan, path, err));
cleanup:
    plan_release(&plan);
    config_close(config);
    stage_schemas_release(&schemas);
    return rc;
}

enum err_code bench_config_size_read(struct bench_size *out, const char *word, struct err *err) {
    const struct bench_size *named = bench_size_find(word);
    if (named) {
        *out = *named;
        return ERR_OK;
    }
    if (file_exists(word)) return from_config(out, word, err);
    return ERR(err, ERR_USAGE, "--size: expected tiny, small, standard or a config, got \"%s\"",
               word);
}
