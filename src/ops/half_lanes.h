/*
 * half_lanes.h - IEEE 754 binary16 for storage: eight at a time from and to floats.
 *
 * Widening is exact.  Narrowing rounds to nearest, ties to even; finite values beyond 65504 become
 * 65504 with their sign, never infinite; infinities stay infinite and NaN stays NaN.  With F16C the
 * processor converts, otherwise the functions of one value do, with the same bits except for the
 * payload of a NaN.
 */
#ifndef OPS_HALF_LANES_H
#define OPS_HALF_LANES_H

#include <stdint.h>

#include "ops/lanes.h"

#ifdef __F16C__
#include <immintrin.h>
#endif

static inline float half_lanes_float(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline float half_lanes_widen_one(uint16_t half) {
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16, rest = half & 0x7fff;
    const uint32_t bits = rest << 13;
    if (rest >= 0x7c00) return half_lanes_float(sign | 0x7f800000 | bits);
    /* 2 to the difference of the biases; right for subnormals too */
    const float size = half_lanes_float(bits) * 0x1p112f;
    return sign ? -size : size;
}

static inline uint16_t half_lanes_narrow_one(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint32_t sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;
    if (size > 0x7f800000) return (uint16_t)(sign | 0x7e00);
    if (size == 0x7f800000) return (uint16_t)(sign | 0x7c00);
    if (size >= 0x477fe000) return (uint16_t)(sign | 0x7bff); /* 65504 and beyond */
    if (size >= 0x38800000)                                   /* 2^-14: a normal half */
        return (uint16_t)(sign | ((size - 0x38000000 + 0x0fff + (size >> 13 & 1)) >> 13));
    /* rounds to whole steps of 2^-24 */
    const float steps = half_lanes_float(size) * 0x1p24f + 0x1p23f;
    memcpy(&bits, &steps, sizeof bits);
    return (uint16_t)(sign | (bits & 0x7ff));
}

static inline lanes half_lanes_widen(const void *from) {
#ifdef __F16C__
    __m128i halves;
    memcpy(&halves, from, sizeof halves);
    return (lanes)_mm256_cvtph_ps(halves);
#else
    uint16_t halves[LANES];
    lanes v;
    memcpy(halves, from, sizeof halves);
    for (size_t i = 0; i < LANES; i++) v[i] = half_lanes_widen_one(halves[i]);
    return v;
#endif
}

static inline void half_lanes_narrow(void *to, lanes v) {
#ifdef __F16C__
    const lanes top = lanes_all(65504.0f);
    const lane_mask huge = (v > top) & (v < lanes_all(__builtin_inff()));
    const lane_mask low = (v < -top) & (v > lanes_all(-__builtin_inff()));
    v = lanes_choose(low, -top, lanes_choose(huge, top, v));
    const __m128i halves = _mm256_cvtps_ph((__m256)v, _MM_FROUND_TO_NEAREST_INT);
    memcpy(to, &halves, sizeof halves);
#else
    uint16_t halves[LANES];
    for (size_t i = 0; i < LANES; i++) halves[i] = half_lanes_narrow_one(v[i]);
    memcpy(to, halves, sizeof halves);
#endif
}

#endif
