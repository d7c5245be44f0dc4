/*
 * plan.h - a config becomes the list of jobs: what each reads, who it is, what it costs.
 *
 * Jobs stand in an order in which parents come first; the number of a job in `jobs` is its line in
 * `taskvec plan`.  A job's identity is a hash of everything its result depends on, and of nothing
 * else, so it is known before anything has run.  Two stages that ask for the same work share the
 * job: it stands once in `jobs` and in the list of both stages.
 */
#ifndef RUN_PLAN_PLAN_H
#define RUN_PLAN_PLAN_H

#include "base/hash.h"
#include "config/config.h"
#include "run/plan/identity.h"
#include "stages/stage.h"

enum { PLAN_PARENTS = 2, PLAN_LABEL = 96 };
#define PLAN_NONE ((size_t)-1)

struct plan_job {
    size_t stage, number; /* stage of the config; which of its jobs: "fit[3]" */
    size_t listed;        /* the last stage whose list it entered */
    size_t visit;         /* plan.c's own: when its controls were last asked for */
    const struct config_point *point;
    const char *control;          /* evaluate: the method of `also` it is for, or NULL */
    size_t parents[PLAN_PARENTS]; /* jobs it reads: the one of `of`, then the model that one read */
    size_t n_parents;
    char identity[HASH_HEX];
    struct stage_cost cost;
};

struct plan_stage {
    const struct stage *kind;
    const char *name;
    size_t *jobs; /* indices, merged ones included, each once */
    size_t n_jobs, capacity;
};

struct plan {
    const struct config *config; /* not owned, outlives the plan */
    struct plan_job *jobs;
    size_t n_jobs, capacity;
    struct plan_stage *stages; /* one for each of the config, in its order */
    size_t n_stages;
    size_t merged;                /* jobs asked for twice */
    struct identity_files *files; /* external files that the jobs name, with their hashes */
    size_t *slots;                /* hash table over identities: job + 1, or 0 */
    size_t n_slots;
};

/* ERR_CONFIG with file:line and remedy: `of` that names nothing, itself, a cycle or a kind that the
 * stage cannot read; a missing or unreadable model; what a stage's own plan() refuses. */
enum err_code plan_make(struct plan *out, const struct config *config, struct err *err);
void plan_release(struct plan *p); /* idempotent */

void plan_label(char out[PLAN_LABEL], const struct plan *p, size_t job); /* "fit[3]" */
size_t plan_find(const struct plan *p, const char *identity);            /* PLAN_NONE: not in it */
size_t plan_find_stage(const struct plan *p, const char *name);          /* PLAN_NONE */

/* The job whose artifact is the model that `job` works on, itself for a pretraining; PLAN_NONE: the
 * file of its key model.checkpoint. */
size_t plan_model(const struct plan *p, size_t job);

/* The value of a TEXT key, NULL when the point does not have it or it is empty. */
const char *plan_text(const struct config_point *point, const char *key);

#endif
