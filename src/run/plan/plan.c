#include "run/plan/plan.h"

#include <stdlib.h>
#include <string.h>

#include "run/plan/plan_choices.h"

/* ---- look-ups */

bool plan_stage_is(const struct plan *p, size_t stage, const char *kind) {
    return strcmp(p->stages[stage].kind->name, kind) == 0;
}

/* Those of numbers where it has no job. */
const struct job_columns *plan_stage_columns(const struct plan *p, size_t stage) {
    const struct plan_stage *s = &p->stages[stage];
    return s->n_jobs > 0 ? stage_columns(s->kind, p->jobs[s->jobs[0]].point) : s->kind->columns;
}

const char *plan_text(const struct config_point *point, const char *key) {
    const char *text = config_has(point, key) ? config_text(point, key) : NULL;
    return text && text[0] ? text : NULL;
}

const char *plan_chosen_key(const struct plan *p, size_t job) {
    const struct planned_job *j = &p->jobs[job];
    return plan_choices_makes(p->stages[j->stage].kind) ? config_text(j->point, "key") : NULL;
}

bool plan_is_chosen(const char *chosen, const struct config_key *key) {
    if (!chosen) return false;
    const size_t n = strlen(chosen);
    return strcmp(key->name, chosen) == 0 ||
           (key->when && strncmp(key->when, chosen, n) == 0 && key->when[n] == '=');
}

const struct config_point *plan_read_point(const struct plan *p, size_t job) {
    const struct planned_job *j = &p->jobs[job];
    return plan_chosen_key(p, job) ? p->jobs[j->parents[0]].point : j->point;
}

size_t plan_model(const struct plan *p, size_t job) {
    const struct planned_job *j = &p->jobs[job];
    if (p->stages[j->stage].kind->uses & STAGE_USES_SHAPE) return job;
    return j->n_parents ? plan_model(p, j->parents[j->n_parents - 1]) : PLAN_NONE;
}

const char *plan_model_file(const struct plan *p, size_t job) {
    static const char key[] = "model.checkpoint";
    const struct planned_job *j = &p->jobs[job];
    const char *path = j->n_parents ? plan_text(plan_read_point(p, j->parents[0]), key) : NULL;
    return path ? path : plan_text(j->point, key);
}

size_t plan_find_stage(const struct plan *p, const char *name) {
    for (size_t s = 0; s < p->n_stages; s++)
        if (strcmp(p->stages[s].name, name) == 0) return s;
    return PLAN_NONE;
}

/* ---- the table of identities: open addressing, at most half full */

static size_t slot_of(const char *identity, size_t n_slots) {
    size_t value = 0;
    for (int i = 0; i < 15 && identity[i]; i++) {
        const char c = identity[i];
        value = value * 16 + (size_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return value & (n_slots - 1);
}

static size_t *find_slot(const struct plan *p, const char *identity) {
    for (size_t i = slot_of(identity, p->n_slots);; i = (i + 1) & (p->n_slots - 1)) {
        if (p->slots[i] == 0) return &p->slots[i];
        if (strcmp(p->jobs[p->slots[i] - 1].identity, identity) == 0) return &p->slots[i];
    }
}

size_t plan_find(const struct plan *p, const char *identity) {
    const size_t slot = p->n_slots ? *find_slot(p, identity) : 0;
    return slot ? slot - 1 : PLAN_NONE;
}

static enum err_code reserve_slots(struct plan *p, struct err *err) {
    if (2 * (p->n_jobs + 1) <= p->n_slots) return ERR_OK;
    const size_t n = p->n_slots ? 2 * p->n_slots : 1024;
    size_t *slots = calloc(n, sizeof *slots);
    if (!slots) return ERR(err, ERR_MEMORY, "no memory to plan %zu jobs", p->n_jobs);
    free(p->slots);
    p->slots = slots;
    p->n_slots = n;
    for (size_t j = 0; j < p->n_jobs; j++) *find_slot(p, p->jobs[j].identity) = j + 1;
    return ERR_OK;
}

/* ---- growing */

static enum err_code reserve_jobs(struct plan *p, struct err *err) {
    if (p->n_jobs < p->capacity) return ERR_OK;
    const size_t capacity = p->capacity ? 2 * p->capacity : 64;
    struct planned_job *jobs = realloc(p->jobs, capacity * sizeof *jobs);
    if (!jobs) return ERR(err, ERR_MEMORY, "no memory to plan %zu jobs", capacity);
    p->jobs = jobs;
    p->capacity = capacity;
    return ERR_OK;
}

enum err_code plan_append(size_t *index, struct plan *p, const struct planned_job *job,
                          struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(reserve_jobs(p, err));
    TRY(reserve_slots(p, err));
    *index = p->n_jobs;
    p->jobs[p->n_jobs++] = *job;
    *find_slot(p, job->identity) = *index + 1;
cleanup:
    return rc;
}

enum err_code plan_list(struct plan_stage *s, size_t job, struct err *err) {
    if (s->n_jobs == s->capacity) {
        const size_t capacity = s->capacity ? 2 * s->capacity : 16;
        size_t *jobs = realloc(s->jobs, capacity * sizeof *jobs);
        if (!jobs) return ERR(err, ERR_MEMORY, "no memory to plan %zu jobs", capacity);
        s->jobs = jobs;
        s->capacity = capacity;
    }
    s->jobs[s->n_jobs++] = job;
    return ERR_OK;
}

void plan_release(struct plan *p) {
    for (size_t s = 0; s < p->n_stages && p->stages; s++) {
        free(p->stages[s].jobs);
        free(p->stages[s].passed);
    }
    free(p->stages);
    free(p->jobs);
    free(p->slots);
    task_names_release(&p->tasks);
    identity_files_destroy(p->files);
    *p = (struct plan){0};
}
