/*
 * bfloat.h - floats as sums of bfloat16 parts: x = high(x) + low(x) up to 2^-17 |x|.
 *
 * bfloat16 is the upper half of a float, 8 significant bits.  Both parts are rounded to nearest,
 * ties to even; NaN stays NaN, and the lower part of an infinite value is NaN.
 */
#ifndef OPS_BFLOAT_H
#define OPS_BFLOAT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t bfloat_narrow(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint32_t rounded = bits + 0x7fff + (bits >> 16 & 1);
    return (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : rounded >> 16);
}

static inline float bfloat_widen(uint16_t x) {
    const uint32_t bits = (uint32_t)x << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline void bfloat_high(uint16_t *restrict out, const float *restrict x, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = bfloat_narrow(x[i]);
}

static inline void bfloat_low(uint16_t *restrict out, const float *restrict x, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = bfloat_narrow(x[i] - bfloat_widen(bfloat_narrow(x[i])));
}

#endif
