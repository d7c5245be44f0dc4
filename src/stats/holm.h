/*
 * holm.h - p values of several tests, adjusted so that one false rejection among all is as unlikely
 * as the level says.
 */
#ifndef STATS_HOLM_H
#define STATS_HOLM_H

#include <stddef.h>

#include "base/err.h"

/* Holm (1979): of the m known p in ascending order, adjusted_i = max over j <= i of min(1, (m - j +
 * 1) p_j). NaN is no test: it is not counted, and stays NaN. adjusted [n] may be p. ERR_MEMORY. */
enum err_code holm_adjust(double *adjusted, const double *p, size_t n, struct err *err);

#endif
