#include "stages/error_means.h"

#include <math.h>

#include "base/text.h"

enum err_code error_means_mean(struct interval *out, const float *errors, double *column,
                               size_t functions, size_t points, size_t k, double confidence,
                               struct err *err) {
    for (size_t i = 0; i < functions; i++) column[i] = (double)errors[i * points + k];
    *out = interval_t(column, functions, confidence);
    if (isfinite(out->value)) return ERR_OK;
    return ERR(err, ERR_NUMERIC, "the error after %zu examples is %g", k, text_nan(out->value));
}
