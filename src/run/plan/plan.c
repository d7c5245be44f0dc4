#include "run/plan/plan.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "methods/method.h"
#include "run/plan/identity.h"
#include "run/plan/plan_jobs.h"
#include "run/plan/stage_order.h"

/* ---- small parts */

const char *plan_text(const struct config_point *point, const char *key) {
    const char *text = config_has(point, key) ? config_text(point, key) : NULL;
    return text && text[0] ? text : NULL;
}

void plan_label(char out[PLAN_LABEL], const struct plan *p, size_t job) {
    const struct plan_job *j = &p->jobs[job];
    (void)snprintf(out, PLAN_LABEL, "%.70s[%zu]", p->stages[j->stage].name, j->number);
}

static bool makes_model(const struct stage *kind) { return (kind->uses & STAGE_USES_SHAPE) != 0; }

/* Has it the key `also`? Then it works on fits, and on each model once for each control. */
static bool takes_controls(const struct stage *kind) {
    for (size_t i = 0; i < kind->n_keys; i++)
        if (strcmp(kind->keys[i].name, "also") == 0) return true;
    return false;
}

size_t plan_model(const struct plan *p, size_t job) {
    const struct plan_job *j = &p->jobs[job];
    if (makes_model(p->stages[j->stage].kind)) return job;
    return j->n_parents ? plan_model(p, j->parents[j->n_parents - 1]) : PLAN_NONE;
}

size_t plan_find_stage(const struct plan *p, const char *name) {
    for (size_t s = 0; s < p->n_stages; s++)
        if (strcmp(p->stages[s].name, name) == 0) return s;
    return PLAN_NONE;
}

/* ---- one job */

struct builder {
    struct plan *plan;
    struct text scratch;
    size_t *order, visits;
};

static enum err_code job_identify(struct plan_job *job, struct builder *b, struct err *err) {
    const struct plan *p = b->plan;
    struct identity_of of = {.stage = p->stages[job->stage].kind,
                             .point = job->point,
                             .control = job->control,
                             .seed = config_seed(p->config),
                             .n_inputs = job->n_parents};
    for (size_t i = 0; i < job->n_parents; i++) of.inputs[i] = p->jobs[job->parents[i]].identity;
    return identity_make(job->identity, &of, p->files, &b->scratch, err);
}

static enum err_code job_cost(struct plan_job *job, const struct plan *p, struct err *err) {
    struct stage_parent parents[PLAN_PARENTS];
    for (size_t i = 0; i < job->n_parents; i++) {
        const struct plan_job *parent = &p->jobs[job->parents[i]];
        parents[i] = (struct stage_parent){p->stages[parent->stage].kind, parent->point};
    }
    job->cost = (struct stage_cost){.group = 1};
    return p->stages[job->stage].kind->plan(&job->cost, job->point, parents, job->n_parents, err);
}

static enum err_code add_job(struct builder *b, struct plan_job job, struct err *err) {
    enum err_code rc = ERR_OK;
    struct plan *p = b->plan;
    struct plan_stage *stage = &p->stages[job.stage];
    TRY(job_identify(&job, b, err));
    size_t index = plan_find(p, job.identity);
    if (index != PLAN_NONE) {
        p->merged++;
        if (p->jobs[index].listed == job.stage) return ERR_OK;
    } else {
        TRY(job_cost(&job, p, err));
        job.number = stage->n_jobs;
        TRY(plan_jobs_append(&index, p, &job, err));
    }
    p->jobs[index].listed = job.stage;
    TRY(plan_jobs_list(stage, index, err));
cleanup:
    return rc;
}

/* ---- the jobs of one point */

/* Positions redrawn with the same seed, where both say so. */
static bool same_positions(const struct config_point *a, const struct config_point *b) {
    static const char key[] = "model.wpe_seed";
    return !config_has(a, key) || !config_has(b, key) || config_int(a, key) == config_int(b, key);
}

/* A parent's job made on another model file, or on other positions, than this point names belongs
 * to another point. */
static bool same_model(const struct plan *p, const struct config_point *point, size_t parent) {
    if (!same_positions(point, p->jobs[parent].point)) return false;
    if (plan_model(p, parent) != PLAN_NONE) return true;
    const char *ours = plan_text(point, "model.checkpoint");
    const char *theirs = plan_text(p->jobs[parent].point, "model.checkpoint");
    return !ours || !theirs || strcmp(ours, theirs) == 0;
}

static enum err_code add_child(struct builder *b, const struct plan_job *start, size_t parent,
                               struct err *err) {
    struct plan_job job = *start;
    const size_t model = plan_model(b->plan, parent);
    job.parents[job.n_parents++] = parent;
    if (model != PLAN_NONE && model != parent) job.parents[job.n_parents++] = model;
    return add_job(b, job, err);
}

static bool is_of_fit(const char *control) { return method_find(control)->control.applies != NULL; }

static bool control_applies(const char *control, const struct config_point *fit) {
    const struct method *m = method_find(config_text(fit, "method"));
    const bool own_basis = strcmp(config_text(fit, "basis"), "prompt") == 0;
    return is_of_fit(control) && method_find(control)->control.applies(m, own_basis);
}

/* Those of `also` that are made of the fit `parent` and say something about its method. */
static enum err_code add_fit_controls(struct builder *b, const struct plan_job *start,
                                      size_t parent, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = config_has(start->point, "also") ? config_list_size(start->point, "also") : 0;
    for (size_t i = 0; i < n; i++) {
        struct plan_job job = *start;
        job.control = config_list_text(start->point, "also", i);
        if (control_applies(job.control, b->plan->jobs[parent].point))
            TRY(add_child(b, &job, parent, err));
    }
cleanup:
    return rc;
}

static enum err_code add_controls(struct builder *b, const struct plan_job *start, size_t model,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = config_has(start->point, "also") ? config_list_size(start->point, "also") : 0;
    for (size_t i = 0; i < n; i++) {
        struct plan_job job = *start;
        job.control = config_list_text(start->point, "also", i);
        if (is_of_fit(job.control)) continue;
        if (model != PLAN_NONE) job.parents[job.n_parents++] = model;
        TRY(add_job(b, job, err));
    }
cleanup:
    return rc;
}

/* Every job of the stages in `of`, merged ones once for each stage that lists them. */
struct parents {
    const size_t *jobs;
    size_t n;
};

/* Once for each model that the parents were made on; those of a file are all of one. */
static enum err_code add_model_controls(struct builder *b, const struct plan_job *start,
                                        const struct parents *of, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t visit = ++b->visits;
    bool file_seen = false;
    for (size_t i = 0; i < of->n; i++) {
        const size_t model = plan_model(b->plan, of->jobs[i]);
        const bool seen = model == PLAN_NONE ? file_seen : b->plan->jobs[model].visit == visit;
        if (seen || !same_model(b->plan, start->point, of->jobs[i])) continue;
        if (model == PLAN_NONE)
            file_seen = true;
        else
            b->plan->jobs[model].visit = visit;
        TRY(add_controls(b, start, model, err));
    }
cleanup:
    return rc;
}

static enum err_code add_point(struct builder *b, const struct plan_job *start,
                               const struct parents *of, struct err *err) {
    enum err_code rc = ERR_OK;
    const bool also = takes_controls(b->plan->stages[start->stage].kind);
    if (of->n == 0 && !also) return add_job(b, *start, err);
    if (of->n == 0) return add_controls(b, start, PLAN_NONE, err);
    for (size_t i = 0; i < of->n; i++) {
        const struct plan_job *parent = &b->plan->jobs[of->jobs[i]];
        if (also && makes_model(b->plan->stages[parent->stage].kind)) continue;
        if (!same_model(b->plan, start->point, of->jobs[i])) continue;
        TRY(add_child(b, start, of->jobs[i], err));
        if (also) TRY(add_fit_controls(b, start, of->jobs[i], err));
    }
    if (also) TRY(add_model_controls(b, start, of, err));
cleanup:
    return rc;
}

/* ---- stages */

static enum err_code collect_parents(size_t **out, struct parents *of, const struct plan *p,
                                     size_t stage, struct err *err) {
    const size_t n_of = config_stage_of_count(p->config, stage);
    size_t n = 0;
    for (size_t i = 0; i < n_of; i++)
        n += p->stages[stage_order_find(p->config, config_stage_of(p->config, stage, i))].n_jobs;
    size_t *jobs = malloc((n + 1) * sizeof *jobs);
    if (!jobs) return ERR(err, ERR_MEMORY, "no memory to plan %zu jobs", n);
    n = 0;
    for (size_t i = 0; i < n_of; i++) {
        const size_t of_stage = stage_order_find(p->config, config_stage_of(p->config, stage, i));
        const struct plan_stage *s = &p->stages[of_stage];
        memcpy(jobs + n, s->jobs, s->n_jobs * sizeof *jobs);
        n += s->n_jobs;
    }
    *out = jobs;
    *of = (struct parents){jobs, n};
    return ERR_OK;
}

static enum err_code nothing_to_do(const struct plan *p, size_t stage, struct err *err) {
    return config_stage_error(
        err, p->config, stage, NULL,
        "comes to no job at all; name fits in `of` or controls in `also`, made on "
        "the model it evaluates");
}

/* Every job that the stage reads has the positions of some point: none is left out in silence. */
static enum err_code check_positions(const struct plan *p, size_t stage, const struct parents *of,
                                     struct err *err) {
    const size_t n = config_stage_points(p->config, stage);
    for (size_t i = 0; i < of->n; i++) {
        const struct config_point *parent = p->jobs[of->jobs[i]].point;
        size_t k = 0;
        while (k < n && !same_positions(config_stage_point(p->config, stage, k), parent)) k++;
        if (k < n || n == 0) continue;
        return config_stage_error(
            err, p->config, stage, NULL,
            "nothing here reads what was made with model.wpe_seed = %lld: give the "
            "same values here, or all of them in the top-level group `model`",
            (long long)config_int(parent, "model.wpe_seed"));
    }
    return ERR_OK;
}

static bool has_control(const struct plan *p, const struct plan_stage *s, const char *control) {
    for (size_t i = 0; i < s->n_jobs; i++)
        if (p->jobs[s->jobs[i]].control && strcmp(p->jobs[s->jobs[i]].control, control) == 0)
            return true;
    return false;
}

/* Every control came to a job: one made of a fit wants a fit that it says something about. */
static enum err_code check_controls(const struct plan *p, size_t stage, struct err *err) {
    if (!takes_controls(p->stages[stage].kind)) return ERR_OK;
    const struct config_point *point = config_stage_point(p->config, stage, 0);
    const size_t n = config_has(point, "also") ? config_list_size(point, "also") : 0;
    for (size_t i = 0; i < n; i++) {
        const char *control = config_list_text(point, "also", i);
        if (has_control(p, &p->stages[stage], control)) continue;
        return config_error(
            err, point, "also",
            "\"%s\" can be made of no fit that this stage reads: name one in `of`, or "
            "leave it out",
            control);
    }
    return ERR_OK;
}

static enum err_code add_stage(struct builder *b, size_t stage, struct err *err) {
    enum err_code rc = ERR_OK;
    struct plan *p = b->plan;
    size_t *jobs = NULL;
    struct parents of = {0};
    TRY(collect_parents(&jobs, &of, p, stage, err));
    for (size_t i = 0; i < config_stage_points(p->config, stage); i++) {
        const struct plan_job start = {.stage = stage,
                                       .point = config_stage_point(p->config, stage, i)};
        TRY(add_point(b, &start, &of, err));
    }
    TRY(check_positions(p, stage, &of, err));
    if (p->stages[stage].n_jobs == 0)
        rc = nothing_to_do(p, stage, err);
    else
        rc = check_controls(p, stage, err);
cleanup:
    free(jobs);
    return rc;
}

static enum err_code stages_init(struct plan *p, struct err *err) {
    p->n_stages = config_stage_count(p->config);
    p->stages = calloc(p->n_stages + 1, sizeof *p->stages);
    if (!p->stages) return ERR(err, ERR_MEMORY, "no memory for %zu stages", p->n_stages);
    for (size_t s = 0; s < p->n_stages; s++) {
        p->stages[s].kind = stage_find(config_stage_kind(p->config, s));
        p->stages[s].name = config_stage_name(p->config, s);
        assert(p->stages[s].kind);
    }
    return ERR_OK;
}

enum err_code plan_make(struct plan *out, const struct config *config, struct err *err) {
    enum err_code rc = ERR_OK;
    struct plan plan = {.config = config};
    struct builder b = {.plan = &plan};
    TRY(stages_init(&plan, err));
    TRY(identity_files_create(&plan.files, err));
    b.order = calloc(plan.n_stages + 1, sizeof *b.order);
    CHECK(b.order, ERR_MEMORY, "no memory for %zu stages", plan.n_stages);
    TRY(stage_order(b.order, config, err));
    for (size_t i = 0; i < plan.n_stages; i++) TRY(add_stage(&b, b.order[i], err));
    *out = plan;
cleanup:
    free(b.order);
    text_release(&b.scratch);
    if (rc != ERR_OK) plan_release(&plan);
    return rc;
}

void plan_release(struct plan *p) {
    for (size_t s = 0; s < p->n_stages && p->stages; s++) free(p->stages[s].jobs);
    free(p->stages);
    free(p->jobs);
    free(p->slots);
    identity_files_destroy(p->files);
    *p = (struct plan){0};
}
