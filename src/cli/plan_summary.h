/*
 * plan_summary.h - a plan in ten lines, however many jobs it has: taskvec plan --summary.
 */
#ifndef CLI_PLAN_SUMMARY_H
#define CLI_PLAN_SUMMARY_H

#include "base/text.h"
#include "cli/plan_totals.h"
#include "run/plan/plan_notes.h"

enum { PLAN_SUMMARY_LINES = 10 };

/* folder: of the run. */
void plan_summary_print(struct text *out, const struct plan *p, const struct plan_totals *t,
                        const struct plan_notes *notes, const char *folder);

#endif
