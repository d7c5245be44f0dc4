/*
 * half.h - 16-bit floats widened to float32; every value is exact, NaN keeps its payload.
 */
#ifndef TENSORFILE_HALF_H
#define TENSORFILE_HALF_H

#include <stdint.h>

float half_lanes_widen(uint16_t bits); /* IEEE 754 binary16 */
float brain_widen(uint16_t bits);      /* bfloat16: the upper half of a float32 */

#endif
