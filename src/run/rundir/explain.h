/*
 * explain.h - one job of a run: what it is, what became of it, whether it would run again, and what
 * sets it apart from what was there before.
 */
#ifndef RUN_RUNDIR_EXPLAIN_H
#define RUN_RUNDIR_EXPLAIN_H

#include "run/plan/job_find.h"
#include "run/rundir/earlier_configs.h"
#include "run/rundir/run_state.h"

struct explain {
    const struct run_state *record;
    const struct plan *plan;      /* asked: that of the directory, or of another config */
    struct run_state_job *states; /* [plan->n_jobs] */
    struct job_found found;
    struct earlier_job job;     /* its own label, kind and keys; not found: no config has it */
    struct earlier_job nearest; /* of what is done and not planned; of the plan for what is gone */
    struct text verdict;        /* whether it would run again, and why */
    bool runs;
};

/* ERR_USAGE for a word that means no job, or several. *record and *plan outlive *out. */
enum err_code explain_make(struct explain *out, const struct run_state *record,
                           const struct plan *plan, const char *word, struct err *err);
void explain_release(struct explain *e); /* idempotent */

#endif
