#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "run/plan/plan.h"
#include "run/plan/plan_choices.h"
#include "run/plan/plan_controls.h"
#include "run/plan/plan_gather.h"
#include "run/plan/plan_tasks.h"
#include "run/plan/stage_order.h"

/* ---- the jobs of one point */

/* Adds the jobs of one point: one for each job in `of` that was made on the point's model, or one
 * that reads them all (stage.gathers), and the controls of its key `also`. A stage with that key
 * evaluates fits, so a pretraining in its `of` only provides the model. */
static enum err_code add_point_jobs(struct job_builder *b, const struct planned_job *start,
                                    const struct job_list *of, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct stage *kind = b->plan->stages[start->stage].kind;
    const bool also = plan_controls_has(kind);
    if (kind->gathers) return plan_gather_add(b, start, of, err);
    if (of->n == 0 && !kind->takes)
        return also ? plan_controls_of_model(b, start, PLAN_NONE, err)
                    : job_builder_add(b, *start, err);
    for (size_t i = 0; i < of->n; i++) {
        const bool is_model = plan_model(b->plan, of->jobs[i]) == of->jobs[i];
        if (also && is_model) continue;
        if (!job_builder_same_model(b->plan, start->point, of->jobs[i])) continue;
        if (kind->takes && !kind->takes(start->point, plan_read_point(b->plan, of->jobs[i])))
            continue;
        if (also && !plan_tasks_match(b->plan, start->stage, start->point, of->jobs[i])) continue;
        TRY(job_builder_add_child(b, start, of->jobs[i], err));
        if (also) TRY(plan_controls_of_fit(b, start, of, of->jobs[i], err));
    }
    if (also) TRY(plan_controls_of_models(b, start, of, err));
cleanup:
    return rc;
}

/* ---- stages */

/* What a stage reads of another one. */
static struct job_list read_of(const struct plan_stage *s) {
    return s->passed ? (struct job_list){s->passed, s->n_passed}
                     : (struct job_list){s->jobs, s->n_jobs};
}

/* Collects the jobs of all stages in `of`; a job that several of them share occurs once for each.
 */
static enum err_code collect_parents(size_t **out, struct job_list *of, const struct plan *p,
                                     size_t stage, struct err *err) {
    const size_t n_of = config_stage_of_count(p->config, stage);
    size_t n = 0;
    for (size_t i = 0; i < n_of; i++)
        n += read_of(&p->stages[stage_order_find(p->config, config_stage_of(p->config, stage, i))])
                 .n;
    size_t *jobs = malloc((n + 1) * sizeof *jobs);
    if (!jobs) return ERR(err, ERR_MEMORY, "no memory to plan %zu jobs", n);
    n = 0;
    for (size_t i = 0; i < n_of; i++) {
        const size_t of_stage = stage_order_find(p->config, config_stage_of(p->config, stage, i));
        const struct job_list read = read_of(&p->stages[of_stage]);
        memcpy(jobs + n, read.jobs, read.n * sizeof *jobs);
        n += read.n;
    }
    *out = jobs;
    *of = (struct job_list){jobs, n};
    return ERR_OK;
}

static enum err_code nothing_to_do(const struct plan *p, size_t stage, struct err *err) {
    const bool also = plan_controls_has(p->stages[stage].kind);
    return config_stage_error(
        err, p->config, stage, NULL,
        also ? "yields no job: name fits in `of`, or controls in `also`, of the model that it "
               "evaluates"
             : "yields no job: name stages in `of` whose jobs it can read");
}

/* Refuses jobs that the stage reads whose positions (model.wpe_seed) match no point: they would be
 * ignored silently. */
static enum err_code check_positions(const struct plan *p, size_t stage, const struct job_list *of,
                                     struct err *err) {
    const size_t n = config_stage_points(p->config, stage);
    for (size_t i = 0; i < of->n; i++) {
        const struct config_point *parent = plan_read_point(p, of->jobs[i]);
        size_t k = 0;
        while (k < n &&
               !job_builder_same_positions(config_stage_point(p->config, stage, k), parent))
            k++;
        if (k < n || n == 0) continue;
        return config_stage_error(
            err, p->config, stage, NULL,
            "none of its jobs reads the ones with model.wpe_seed = %lld: give the same values "
            "here, or all of them in the top-level group `model`",
            (long long)config_int(parent, "model.wpe_seed"));
    }
    return ERR_OK;
}

static enum err_code add_points(struct job_builder *b, size_t stage, const struct job_list *of,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    struct plan *p = b->plan;
    for (size_t i = 0; i < config_stage_points(p->config, stage); i++) {
        const struct planned_job start = {.stage = stage,
                                          .point = config_stage_point(p->config, stage, i)};
        if (!plan_tasks_repeats(p, stage, start.point)) TRY(add_point_jobs(b, &start, of, err));
    }
    TRY(check_positions(p, stage, of, err));
    if (p->stages[stage].kind->gathers) TRY(plan_gather_check(p, stage, of, err));
cleanup:
    return rc;
}

static enum err_code add_stage(struct job_builder *b, size_t stage, struct err *err) {
    enum err_code rc = ERR_OK;
    struct plan *p = b->plan;
    size_t *jobs = NULL;
    struct job_list of = {0};
    const bool chooses = plan_choices_makes(p->stages[stage].kind);
    TRY(collect_parents(&jobs, &of, p, stage, err));
    TRY(chooses ? plan_choices_add(b, stage, &of, err) : add_points(b, stage, &of, err));
    if (chooses && of.n > 0) goto cleanup;
    if (p->stages[stage].n_jobs == 0)
        rc = nothing_to_do(p, stage, err);
    else
        rc = plan_controls_check(p, stage, err);
cleanup:
    free(jobs);
    return rc;
}

static enum err_code init_stages(struct plan *p, struct err *err) {
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
    return plan_make_recorded(out, config, NULL, err);
}

enum err_code plan_make_recorded(struct plan *out, const struct config *config, const char *inputs,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    struct plan plan = {.config = config};
    struct job_builder b = {.plan = &plan};
    size_t *order = NULL;
    TRY(init_stages(&plan, err));
    TRY(task_names_collect(&plan.tasks, config, err));
    TRY(identity_files_create(&plan.files, err));
    if (inputs) TRY(identity_files_record(plan.files, inputs, err));
    order = calloc(plan.n_stages + 1, sizeof *order);
    CHECK(order, ERR_MEMORY, "no memory for %zu stages", plan.n_stages);
    TRY(stage_order(order, config, err));
    for (size_t i = 0; i < plan.n_stages; i++) TRY(add_stage(&b, order[i], err));
    *out = plan;
cleanup:
    free(order);
    job_builder_release(&b);
    if (rc != ERR_OK) plan_release(&plan);
    return rc;
}
