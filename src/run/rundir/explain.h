/*
 * explain.h - one job of a run: what identifies it, its history, whether and why it would run
 * again, and how it differs from the jobs of earlier configs.
 */
#ifndef RUN_RUNDIR_EXPLAIN_H
#define RUN_RUNDIR_EXPLAIN_H

#include "run/plan/job_find.h"
#include "run/rundir/earlier_configs.h"
#include "run/rundir/run_state.h"

struct explain {
    const struct run_state *record;
    const struct plan *plan;      /* that of the directory, or of another config */
    struct run_state_job *states; /* [plan->n_jobs] */
    struct job_found found;
    struct earlier_job job;     /* its label, kind and keys; not found: no config has it */
    struct earlier_job nearest; /* the most similar finished job that is not planned; for a job that
                                   is not planned, the most similar of the plan */
    struct text verdict;        /* whether it would run again, and why */
    bool runs;
};

/* word: a label, a line of the plan, or the beginning of an identity; ERR_USAGE where it names no
 * job, or several. *record and *plan outlive *out. */
enum err_code explain_make(struct explain *out, const struct run_state *record,
                           const struct plan *plan, const char *word, struct err *err);
void explain_release(struct explain *e); /* idempotent */

#endif
