/*
 * verify_estimators.h - classical estimators against reference predictions.
 */
#ifndef RUN_VERIFY_VERIFY_ESTIMATORS_H
#define RUN_VERIFY_VERIFY_ESTIMATORS_H

#include "run/verify/verify_report.h"
#include "sources/prompt_view.h"
#include "store/fixture.h"

/* Adds the lines of part `baselines`: every dataset [n, points] of `group` is compared with the
 * estimator of `estimate` on these prompts. The reference breaks ties of trees at random, so trees
 * are compared where they met no tie, and by their pooled squared error. */
enum err_code verify_estimators(struct verify_report *r, const struct fixture *f, const char *group,
                                const struct prompt_view *prompts, struct err *err);

#endif
