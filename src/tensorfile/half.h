/*
 * half.h - 16-bit floats of tensor files: widened to float32, exactly (NaN keeps its payload), and
 * rounded from it.
 */
#ifndef TENSORFILE_HALF_H
#define TENSORFILE_HALF_H

#include <stdint.h>

float half_widen(uint16_t bits);        /* IEEE 754 binary16 */
float half_widen_bfloat(uint16_t bits); /* bfloat16: the upper half of a float32 */

/* To the nearest binary16, of two as near to the even one; beyond 65504 an infinity from 65520 on.
 */
uint16_t half_narrow(float value);

#endif
