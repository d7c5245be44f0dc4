/*
 * verify_estimators.h - classical estimators against reference predictions.
 */
#ifndef RUN_VERIFY_VERIFY_ESTIMATORS_H
#define RUN_VERIFY_VERIFY_ESTIMATORS_H

#include "run/verify/verify_report.h"
#include "sources/prompt_view.h"
#include "store/fixture.h"

/* Adds the lines of part `baselines`: every dataset [n, points] of `group` against the estimator
 * that `estimate` calls, on these prompts. Trees, whose ties the reference broke at random, are
 * compared where they met no tie, and otherwise by their pooled squared error. */
enum err_code verify_estimators(struct verify_report *r, const struct fixture *f, const char *group,
                                const struct prompt_view *prompts, struct err *err);

#endif
