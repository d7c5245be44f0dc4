/*
 * plan.h - a config becomes the list of jobs: what each reads, its identity, its predicted cost.
 *
 * Parents come before the jobs that read them; the index of a job in `jobs` is its line in `taskvec
 * plan`.  A job's identity is a hash of everything its result depends on, and of nothing else, so
 * it is known before anything has run.  Two stages that ask for the same work share the job: it is
 * in `jobs` once and in the lists of both stages.
 *
 * plan_make.c goes through stages and points, plan_controls.c adds the jobs of `also`,
 * job_builder.c makes one job, identity.c hashes it; each stage's plan() predicts cost and memory.
 */
#ifndef RUN_PLAN_PLAN_H
#define RUN_PLAN_PLAN_H

#include "base/hash.h"
#include "config/config.h"
#include "job/planned_job.h"
#include "run/plan/identity.h"
#include "run/plan/task_names.h"
#include "stages/stage.h"

#define PLAN_NONE ((size_t)-1)

struct plan_stage {
    const struct stage *kind;
    const char *name;
    size_t *jobs; /* indices, shared jobs included, each once */
    size_t n_jobs, capacity;
    size_t *passed; /* of a stage `choose`: what stages read that name it in `of`, choices and fits
                       without a choice; NULL for other kinds, of which they read `jobs` */
    size_t n_passed;
};

struct plan {
    const struct config *config; /* not owned, outlives the plan */
    struct planned_job *jobs;
    size_t n_jobs, capacity;
    struct plan_stage *stages; /* one for each of the config, in its order */
    size_t n_stages;
    size_t merged;                /* how often a stage asked for a job that the plan had already */
    struct task_names tasks;      /* of the text tasks of all points */
    struct identity_files *files; /* external files that the jobs name, with their hashes */
    size_t *slots;                /* hash table over identities: job + 1, or 0 */
    size_t n_slots;
};

/* ERR_CONFIG with file:line and remedy: `of` that names nothing, itself, a cycle or a kind that the
 * stage cannot read; a missing or unreadable model; what a stage's own plan() refuses. */
enum err_code plan_make(struct plan *out, const struct config *config, struct err *err);
/* The same as an earlier attempt planned it: `inputs` is the record of its files
 * (identity_files_record); NULL: none. A job whose file is gone or has other content has no cost.
 */
enum err_code plan_make_recorded(struct plan *out, const struct config *config, const char *inputs,
                                 struct err *err);
void plan_release(struct plan *p); /* idempotent */

/* For job_builder.c: a job whose identity the plan does not have yet (*index: its place in `jobs`),
 * and a job in the list of a stage. */
enum err_code plan_append(size_t *index, struct plan *p, const struct planned_job *job,
                          struct err *err);
enum err_code plan_list(struct plan_stage *s, size_t job, struct err *err);

size_t plan_find(const struct plan *p, const char *identity);   /* PLAN_NONE: not in it */
size_t plan_find_stage(const struct plan *p, const char *name); /* PLAN_NONE */

/* The job whose artifact is the model that `job` works on, itself for a pretraining; PLAN_NONE: the
 * file of its key model.checkpoint. */
size_t plan_model(const struct plan *p, size_t job);

/* The path of that file, of the job or of the job that it reads; NULL: neither names one. */
const char *plan_model_file(const struct plan *p, size_t job);

/* The key whose value a job of a stage `choose` chooses; NULL for other jobs. */
const char *plan_chosen_key(const struct plan *p, size_t job);
/* Whether that choice decides the value of `key`: it is the chosen one, or exists with one value of
 * it only. False where chosen is NULL. */
bool plan_is_chosen(const char *chosen, const struct config_key *key);

/* The keys that a reader of `job` works with: its own, or for a choice those of its first
 * candidate, which all candidates share except for what is chosen. */
const struct config_point *plan_read_point(const struct plan *p, size_t job);

bool plan_stage_is(const struct plan *p, size_t stage, const char *kind); /* kind: "evaluate" */

/* The columns of the rows of a stage's jobs: stage_columns(). */
const struct job_columns *plan_stage_columns(const struct plan *p, size_t stage);

/* The value of a TEXT key, NULL when the point does not have it or it is empty. */
const char *plan_text(const struct config_point *point, const char *key);

#endif
