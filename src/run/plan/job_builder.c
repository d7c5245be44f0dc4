#include "run/plan/job_builder.h"

#include "run/plan/context_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- marks */

/* Room for the mark of one more job. */
static enum err_code reserve_mark(struct job_builder *b, struct err *err) {
    const size_t n = b->plan->n_jobs + 1;
    if (n <= b->n_marks) return ERR_OK;
    struct job_mark *marks = realloc(b->marks, 2 * n * sizeof *marks);
    if (!marks) return ERR(err, ERR_MEMORY, "no memory to plan %zu jobs", n);
    memset(marks + b->n_marks, 0, (2 * n - b->n_marks) * sizeof *marks);
    b->marks = marks;
    b->n_marks = 2 * n;
    return ERR_OK;
}

bool job_builder_visit(struct job_builder *b, size_t job) {
    const bool first = b->marks[job].visit != b->visits;
    b->marks[job].visit = b->visits;
    return first;
}

void job_builder_release(struct job_builder *b) {
    text_release(&b->scratch);
    free(b->marks);
}

/* ---- one job */

static enum err_code identify_job(struct planned_job *job, struct job_builder *b, struct err *err) {
    const struct plan *p = b->plan;
    struct identity_of of = {.stage = p->stages[job->stage].kind,
                             .point = job->point,
                             .control = job->control,
                             .seed = config_seed(p->config),
                             .n_inputs = job->n_parents};
    for (size_t i = 0; i < job->n_parents; i++) of.inputs[i] = p->jobs[job->parents[i]].identity;
    return identity_make(job->identity, &of, p->files, &b->scratch, err);
}

/* The jobs that a job reads, with candidate number `candidate` in the place of a choice. */
static void list_parents(struct stage_parent *out, const struct planned_job *job,
                         const struct plan *p, size_t candidate) {
    for (size_t i = 0; i < job->n_parents; i++) {
        const struct planned_job *parent = &p->jobs[job->parents[i]];
        if (plan_chosen_key(p, job->parents[i])) parent = &p->jobs[parent->parents[candidate]];
        out[i] = (struct stage_parent){p->stages[parent->stage].kind, parent->point};
    }
}

static bool files_differ(const struct planned_job *job, const struct plan *p) {
    bool differs = identity_files_differ(p->files, job->point);
    for (size_t i = 0; i < job->n_parents; i++)
        differs |= identity_files_differ(p->files, plan_read_point(p, job->parents[i]));
    return differs;
}

/* A job that reads a choice costs as much as with the most expensive candidate, and all of them
 * have to pass the checks of its stage. */
static enum err_code predict_cost(struct planned_job *job, const struct plan *p, struct err *err) {
    enum err_code rc = ERR_OK;
    struct stage_parent parents[JOB_PARENTS];
    const bool reads_choice = job->n_parents > 0 && plan_chosen_key(p, job->parents[0]);
    const size_t candidates = reads_choice ? p->jobs[job->parents[0]].n_parents : 1;
    job->cost = (struct job_cost){.group = 1, .unit = ""};
    if (files_differ(job, p)) return ERR_OK; /* its sizes are not known any more */
    for (size_t i = 0; i < candidates; i++) {
        struct job_cost cost;
        list_parents(parents, job, p, i);
        TRY(p->stages[job->stage].kind->plan(&cost, job->point, job->control, parents,
                                             job->n_parents, err));
        cost.flops = job_load_flops(&cost.load);
        if (i == 0 || cost.memory > job->cost.memory) job->cost = cost;
    }
cleanup:
    return rc;
}

enum err_code job_builder_add(struct job_builder *b, struct planned_job job, struct err *err) {
    enum err_code rc = ERR_OK;
    struct plan *p = b->plan;
    struct plan_stage *stage = &p->stages[job.stage];
    TRY(identify_job(&job, b, err));
    size_t index = plan_find(p, job.identity);
    if (index != PLAN_NONE) {
        p->merged++;
        if (b->marks[index].listed == job.stage) return ERR_OK;
    } else {
        TRY(predict_cost(&job, p, err));
        (void)snprintf(job.label, sizeof job.label, "%.70s[%zu]", stage->name, stage->n_jobs);
        TRY(reserve_mark(b, err));
        TRY(plan_append(&index, p, &job, err));
        TRY(context_key_make(p, index, &b->scratch, err));
    }
    b->marks[index].listed = job.stage;
    TRY(plan_list(stage, index, err));
cleanup:
    return rc;
}

/* ---- a job of a parent */

bool job_builder_same_positions(const struct config_point *a, const struct config_point *b) {
    static const char key[] = "model.wpe_seed";
    return !config_has(a, key) || !config_has(b, key) || config_int(a, key) == config_int(b, key);
}

bool job_builder_same_model(const struct plan *p, const struct config_point *point, size_t parent) {
    const struct config_point *read = plan_read_point(p, parent);
    if (!job_builder_same_positions(point, read)) return false;
    if (plan_model(p, parent) != PLAN_NONE) return true;
    const char *ours = plan_text(point, "model.checkpoint");
    const char *theirs = plan_text(read, "model.checkpoint");
    return !ours || !theirs || strcmp(ours, theirs) == 0;
}

enum err_code job_builder_add_child(struct job_builder *b, const struct planned_job *start,
                                    size_t parent, struct err *err) {
    struct planned_job job = *start;
    const size_t model = plan_model(b->plan, parent);
    job.parents[job.n_parents++] = parent;
    if (model != PLAN_NONE && model != parent) job.parents[job.n_parents++] = model;
    return job_builder_add(b, job, err);
}
