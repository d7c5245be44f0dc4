#include "run/plan/plan_gather.h"

#include <string.h>

/* The job whose keys say what prompts and which model a job is about: itself, or the one that it
 * reads. */
static size_t source_of(const struct plan *p, size_t job) {
    const struct planned_job *j = &p->jobs[job];
    const bool own = p->stages[j->stage].kind->uses & STAGE_USES_SOURCE;
    return own || j->n_parents == 0 ? job : source_of(p, j->parents[0]);
}

static bool is_model(const struct plan *p, size_t job) { return plan_model(p, job) == job; }

static bool takes(const struct stage *kind, const struct plan *p, const struct config_point *point,
                  size_t job) {
    return !kind->takes || kind->takes(point, plan_read_point(p, job));
}

static bool belongs(const struct plan *p, size_t stage, const struct config_point *point,
                    size_t job) {
    static const char *const keys[] = {"source.kind", "source.problem", "source.task",
                                       "source.form"};
    const struct stage *kind = p->stages[stage].kind;
    const size_t source = source_of(p, job);
    const struct config_point *of = plan_read_point(p, source);
    if (!takes(kind, p, point, job)) return false;
    if (!job_builder_same_model(p, point, source)) return false;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (config_has(point, keys[i]) && config_has(of, keys[i]) &&
            strcmp(config_text(point, keys[i]), config_text(of, keys[i])) != 0)
            return false;
    return true;
}

/* The job that reads what was made on one model, a job or PLAN_NONE. */
static enum err_code gather_of_model(struct job_builder *b, const struct planned_job *start,
                                     const struct job_list *of, size_t model, struct err *err) {
    const struct plan *p = b->plan;
    struct planned_job job = *start;
    for (size_t i = 0; i < of->n; i++) {
        const size_t read = of->jobs[i];
        if (is_model(p, read) || plan_model(p, read) != model) continue;
        if (!belongs(p, start->stage, start->point, read)) continue;
        if (job.n_parents + 1 == JOB_PARENTS) /* one more for the model */
            return config_stage_error(err, p->config, start->stage, "of",
                                      "one job would read more than %d jobs: name fewer",
                                      JOB_PARENTS - 1);
        job.parents[job.n_parents++] = read;
    }
    if (job.n_parents == 0) return ERR_OK;
    if (model != PLAN_NONE) job.parents[job.n_parents++] = model;
    return job_builder_add(b, job, err);
}

/* A job of `of` before number i was made on the same model. */
static bool model_is_met(const struct plan *p, const struct job_list *of, size_t i) {
    for (size_t k = 0; k < i; k++)
        if (plan_model(p, of->jobs[k]) == plan_model(p, of->jobs[i])) return true;
    return false;
}

enum err_code plan_gather_add(struct job_builder *b, const struct planned_job *start,
                              const struct job_list *of, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t i = 0; i < of->n; i++)
        if (!model_is_met(b->plan, of, i))
            TRY(gather_of_model(b, start, of, plan_model(b->plan, of->jobs[i]), err));
cleanup:
    return rc;
}

/* Some point of the stage reads the job, or takes no such jobs; a model is read in any case. */
static bool is_read(const struct plan *p, size_t stage, size_t job) {
    if (is_model(p, job)) return true;
    for (size_t i = 0; i < config_stage_points(p->config, stage); i++) {
        const struct config_point *point = config_stage_point(p->config, stage, i);
        if (!takes(p->stages[stage].kind, p, point, job) || belongs(p, stage, point, job))
            return true;
    }
    return false;
}

enum err_code plan_gather_check(const struct plan *p, size_t stage, const struct job_list *of,
                                struct err *err) {
    for (size_t i = 0; i < of->n; i++)
        if (!is_read(p, stage, of->jobs[i]))
            return config_stage_error(err, p->config, stage, "of",
                                      "no job of the stage is of the source and the model of %s: "
                                      "give it the same ones",
                                      p->jobs[of->jobs[i]].label);
    return ERR_OK;
}
