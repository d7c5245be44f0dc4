/*
 * plan_print.h - a plan as text, CSV and JSON, and its totals: memory to request and core-hours.
 * The memory and cost of a single job are predicted by its stage (plan() in stages/).
 */
#ifndef CLI_PLAN_PRINT_H
#define CLI_PLAN_PRINT_H

#include "base/err.h"
#include "base/text.h"
#include "run/plan/plan.h"
#include "run/plan/plan_notes.h"
#include "run/rundir/run_state.h"
#include "run/tables/table_format.h"

struct plan_totals {
    double flops, flops_left; /* left: of jobs that are not done */
    double memory;            /* bytes of the job that needs most when everything is cached */
    double memory_least;      /* bytes below which some job cannot run */
    double memory_per_rank;   /* to request from a cluster */
    int group;                /* ranks of the largest group */
    double rate;              /* flop/s of one core, measured now */
    int useful_ranks;         /* ranks that what is left can use; see useful_ranks.h */
    double seconds_left;      /* of what is left on these ranks; 0 where rate is 0 */
};

/* states [n_jobs]. */
enum err_code plan_totals(struct plan_totals *out, const struct plan *p,
                          const struct run_state_job *states, struct err *err);

/* One row per job: line, job, identity, state, group, memory, cost, and the axes in use. */
enum err_code plan_print(struct text *out, const struct plan *p, const struct run_state_job *states,
                         const struct plan_totals *t, enum table_format format, struct err *err);
enum err_code plan_print_json(struct text *out, const struct plan *p,
                              const struct run_state_job *states, const struct plan_totals *t,
                              const struct plan_notes *notes, struct err *err);
void plan_print_totals(struct text *out, const struct plan *p, const struct plan_totals *t);

#endif
