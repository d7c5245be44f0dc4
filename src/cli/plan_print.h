/*
 * plan_print.h - a plan as text, CSV and JSON, and its summary. The memory and the load of a
 * single job are predicted by its stage (plan() in stages/), its time by job_seconds.h.
 */
#ifndef CLI_PLAN_PRINT_H
#define CLI_PLAN_PRINT_H

#include "base/err.h"
#include "base/text.h"
#include "cli/plan_totals.h"
#include "run/plan/plan.h"
#include "run/plan/plan_notes.h"
#include "run/rundir/run_state.h"
#include "run/tables/table_format.h"

/* One row per job: line, job, identity, state, group, memory, cost, and the axes in use. */
enum err_code plan_print(struct text *out, const struct plan *p, const struct run_state_job *states,
                         const struct plan_totals *t, enum table_format format, struct err *err);
enum err_code plan_print_json(struct text *out, const struct plan *p,
                              const struct run_state_job *states, const struct plan_totals *t,
                              const struct plan_notes *notes, struct err *err);
void plan_print_totals(struct text *out, const struct plan *p, const struct plan_totals *t);

#endif
