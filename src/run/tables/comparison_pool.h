/*
 * comparison_pool.h - comparisons over several models that differ in their pretraining seed alone.
 *
 * The models may be those of one stage, of several stages, or of several runs.  What is compared
 * must be equal: seed of the run, problem, shift and every other key of the evaluation, the keys of
 * the fit, and the range.  Then the models saw the same functions, and models and functions are
 * resampled as seeds and functions are; repeats of the fit are averaged for each model first.
 */
#ifndef RUN_TABLES_COMPARISON_POOL_H
#define RUN_TABLES_COMPARISON_POOL_H

#include "run/tables/comparison_set.h"

/* Appends to the comparisons of an evaluation one for all models, where it has that of the first of
 * them: its `models` is 2 or more. Call it once, when the set is complete. ERR_MEMORY. */
enum err_code comparison_pool(struct comparison_set *set, struct err *err);

#endif
