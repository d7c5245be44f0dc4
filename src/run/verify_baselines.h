/*
 * verify_baselines.h - classical estimators against reference predictions.
 */
#ifndef RUN_VERIFY_BASELINES_H
#define RUN_VERIFY_BASELINES_H

#include "model/prompt_view.h"
#include "run/verify_report.h"
#include "store/fixture.h"

/* Adds the lines of part `baselines`: every dataset [n, points] of `group` against the estimator
 * that `estimate` calls, on these prompts. Trees, whose ties the reference broke at random, are
 * compared where they met no tie, and otherwise by their pooled squared error. */
enum err_code verify_baselines(struct verify_report *r, const struct fixture *f, const char *group,
                               const struct prompt_view *prompts, struct err *err);

#endif
