/*
 * error_means.h - the mean error over functions with its interval, for `evaluate` and `estimate`.
 */
#ifndef STAGES_ERROR_MEANS_H
#define STAGES_ERROR_MEANS_H

#include "base/err.h"
#include "stats/interval.h"

/* Mean over functions of the error after k examples; errors [functions, points], column
 * [functions] is scratch. ERR_NUMERIC where it is not finite. */
enum err_code error_means_mean(struct interval *out, const float *errors, double *column,
                               size_t functions, size_t points, size_t k, double confidence,
                               struct err *err);

#endif
