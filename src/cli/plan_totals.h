/*
 * plan_totals.h - what a whole plan needs: memory to request, core time, and how many ranks it can
 * use.
 */
#ifndef CLI_PLAN_TOTALS_H
#define CLI_PLAN_TOTALS_H

#include "calibration/calibration.h"
#include "run/plan/plan.h"
#include "run/rundir/run_state.h"

struct plan_totals {
    struct calibration speed;
    double *seconds;        /* [n_jobs] core time of each job: job_seconds.h */
    double core, core_left; /* seconds of one core; left: of jobs that are not done */
    double contexts;        /* of core: to make contexts, as calibrated */
    double flops, flops_left;
    double memory;          /* bytes of the job that needs most when everything is cached */
    double memory_least;    /* bytes below which some job cannot run */
    double mapped;          /* bytes of the largest language model's files, once a node */
    double memory_per_rank; /* to request from a cluster */
    int group;              /* ranks of the largest group */
    int useful_ranks;       /* ranks that what is left can use; see useful_ranks.h */
    double seconds_left;    /* of what is left on these ranks */
    size_t count[QUEUE_BLOCKED + 1]; /* jobs in each state */
    bool at_most;                    /* a fit that is left may end before its epochs (patience) */
};

/* states [n_jobs]. Calibrates the machine if it has no calibration yet. */
enum err_code plan_totals_make(struct plan_totals *out, const struct plan *p,
                               const struct run_state_job *states, struct err *err);
/* "972 MiB for each rank": what to request from a cluster. */
void plan_totals_request(struct text *out, const struct plan_totals *t);

void plan_totals_release(struct plan_totals *t); /* idempotent */

/* Core seconds of the jobs of a stage. */
double plan_totals_stage(const struct plan_totals *t, const struct plan *p, size_t stage);

#endif
