/*
 * vmath.h - exp over an array: SLEEF's AVX2 routine where it was found, else libm.
 *
 * Every element goes through the same routine, the tail too, so its result does not depend on its
 * place in the array or on the array's length.  Error at most 1 ulp.
 */
#ifndef OPS_VMATH_H
#define OPS_VMATH_H

#include <stddef.h>

#include "ops/lanes.h"

/* out[i] = exp(in[i]); in place (out == in) is allowed. */
void vmath_exp(float *out, const float *in, size_t n);

lanes vmath_exp_lanes(lanes x);

const char *vmath_name(void); /* "SLEEF AVX2" or "libm": it changes bits, so it is recorded */

#endif
