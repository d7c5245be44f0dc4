#include "run/plan/plan_controls.h"

#include <string.h>

#include "methods/method.h"
#include "run/plan/plan_tasks.h"

bool plan_controls_has(const struct stage *kind) {
    for (size_t i = 0; i < kind->n_keys; i++)
        if (strcmp(kind->keys[i].name, "also") == 0) return true;
    return false;
}

static size_t also_size(const struct config_point *point) {
    return config_has(point, "also") ? config_list_size(point, "also") : 0;
}

/* ---- controls of a fit */

static bool is_of_fit(const char *control) { return method_find(control)->control.applies != NULL; }

static bool has_own_basis(const struct config_point *fit) {
    return config_has(fit, "basis") && strcmp(config_text(fit, "basis"), "prompt") == 0;
}

/* Whether controls of fits are wanted of this method: the key `also_of`, by default of all. */
static bool is_listed(const struct config_point *point, const char *method) {
    if (!config_has(point, "also_of")) return true;
    for (size_t i = 0; i < config_list_size(point, "also_of"); i++)
        if (strcmp(config_list_text(point, "also_of", i), method) == 0) return true;
    return false;
}

/* What the job of a control of `fit` reads: `fit`; or, where one vector serves a whole task and the
 * control needs the vector of another function, the same fit of another task. PLAN_NONE: it does
 * not apply. */
static size_t fit_of_control(const struct plan *p, const struct planned_job *job,
                             const struct job_list *of, size_t fit) {
    const struct config_point *point = plan_read_point(p, fit);
    const struct method_control *c = &method_find(job->control)->control;
    if (!is_of_fit(job->control)) return PLAN_NONE;
    if (!is_listed(job->point, config_text(point, "method"))) return PLAN_NONE;
    if (c->applies(method_find(config_text(point, "method")), has_own_basis(point))) return fit;
    return c->next_function ? plan_tasks_next(p, of, fit) : PLAN_NONE;
}

enum err_code plan_controls_of_fit(struct job_builder *b, const struct planned_job *start,
                                   const struct job_list *of, size_t fit, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t i = 0; i < also_size(start->point); i++) {
        struct planned_job job = *start;
        job.control = config_list_text(start->point, "also", i);
        const size_t read = fit_of_control(b->plan, &job, of, fit);
        if (read != PLAN_NONE) TRY(job_builder_add_child(b, &job, read, err));
    }
cleanup:
    return rc;
}

/* ---- controls of a model */

enum err_code plan_controls_of_model(struct job_builder *b, const struct planned_job *start,
                                     size_t model, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t i = 0; i < also_size(start->point); i++) {
        struct planned_job job = *start;
        job.control = config_list_text(start->point, "also", i);
        if (is_of_fit(job.control)) continue;
        if (model != PLAN_NONE) job.parents[job.n_parents++] = model;
        TRY(job_builder_add(b, job, err));
    }
cleanup:
    return rc;
}

enum err_code plan_controls_of_models(struct job_builder *b, const struct planned_job *start,
                                      const struct job_list *of, struct err *err) {
    enum err_code rc = ERR_OK;
    bool file_seen = false; /* all parents without a pretraining job use the same model file */
    b->visits++;
    for (size_t i = 0; i < of->n; i++) {
        if (!job_builder_same_model(b->plan, start->point, of->jobs[i])) continue;
        const size_t model = plan_model(b->plan, of->jobs[i]);
        const bool first = model == PLAN_NONE ? !file_seen : job_builder_visit(b, model);
        if (model == PLAN_NONE) file_seen = true;
        if (first) TRY(plan_controls_of_model(b, start, model, err));
    }
cleanup:
    return rc;
}

/* ---- check */

bool plan_controls_includes(const struct plan *p, const struct plan_stage *s, const char *control) {
    for (size_t i = 0; i < s->n_jobs; i++)
        if (p->jobs[s->jobs[i]].control && strcmp(p->jobs[s->jobs[i]].control, control) == 0)
            return true;
    return false;
}

/* Whether the stage reads a fit of this method. */
static bool is_read(const struct plan *p, size_t stage, const char *method) {
    const struct plan_stage *s = &p->stages[stage];
    for (size_t i = 0; i < s->n_jobs; i++) {
        const struct planned_job *job = &p->jobs[s->jobs[i]];
        if (job->n_parents == 0 || job->control) continue;
        if (strcmp(config_text(plan_read_point(p, job->parents[0]), "method"), method) == 0)
            return true;
    }
    return false;
}

static enum err_code check_methods(const struct plan *p, size_t stage,
                                   const struct config_point *point, struct err *err) {
    const size_t n = config_has(point, "also_of") ? config_list_size(point, "also_of") : 0;
    for (size_t i = 0; i < n; i++) {
        const char *method = config_list_text(point, "also_of", i);
        if (is_read(p, stage, method)) continue;
        return config_error(err, point, "also_of",
                            "\"%s\" is the method of no fit that this stage reads: name another "
                            "one, or omit it",
                            method);
    }
    return ERR_OK;
}

enum err_code plan_controls_check(const struct plan *p, size_t stage, struct err *err) {
    if (!plan_controls_has(p->stages[stage].kind)) return ERR_OK;
    const struct config_point *point = config_stage_point(p->config, stage, 0);
    for (size_t i = 0; i < also_size(point); i++) {
        const char *control = config_list_text(point, "also", i);
        if (plan_controls_includes(p, &p->stages[stage], control)) continue;
        return config_error(
            err, point, "also",
            "\"%s\" applies to no fit that this stage reads: name one in `of`, or omit the control",
            control);
    }
    return check_methods(p, stage, point, err);
}
