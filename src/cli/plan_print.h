/*
 * plan_print.h - a plan for people and for scripts.
 */
#ifndef CLI_PLAN_PRINT_H
#define CLI_PLAN_PRINT_H

#include "base/err.h"
#include "base/text.h"
#include "run/plan/plan.h"
#include "run/rundir/run_state.h"
#include "run/tables/table_format.h"

struct plan_totals {
    double flops, flops_left; /* left: of jobs that are not done */
    double memory;            /* bytes of the job that wants most when it keeps everything */
    double memory_least;      /* bytes without which some job cannot run */
    double memory_per_rank;   /* what to ask a cluster for */
    int group;                /* ranks the largest group wants */
    double rate;              /* flop/s of one core, measured now */
};

/* states [n_jobs]. */
void plan_totals(struct plan_totals *out, const struct plan *p, const struct run_state_job *states);

/* One row a job: line, job, identity, state, group, memory, cost, and the axes in use. */
enum err_code plan_print(struct text *out, const struct plan *p, const struct run_state_job *states,
                         const struct plan_totals *t, enum table_format format, struct err *err);
enum err_code plan_print_json(struct text *out, const struct plan *p,
                              const struct run_state_job *states, const struct plan_totals *t,
                              struct err *err);
void plan_print_totals(struct text *out, const struct plan *p, const struct plan_totals *t);

#endif
