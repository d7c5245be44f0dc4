#include "tensorfile/half.h"

#include <string.h>

static float from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

float half_widen(uint16_t bits) {
    const uint32_t sign = (uint32_t)(bits & 0x8000) << 16;
    const uint32_t exponent = bits >> 10 & 0x1f, mantissa = bits & 0x3ff;
    if (exponent == 0x1f) return from_bits(sign | 0x7f800000 | mantissa << 13);
    if (exponent > 0) return from_bits(sign | (exponent + 112) << 23 | mantissa << 13);
    const float tiny = (float)mantissa * 0x1p-24f;
    return sign ? -tiny : tiny;
}

float half_widen_bfloat(uint16_t bits) { return from_bits((uint32_t)bits << 16); }

static uint32_t to_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Bits of a float that is not negative -> those of the half; from 65536 on infinity, or NaN. */
static uint32_t narrow_magnitude(uint32_t bits) {
    if (bits > 0x7f800000) return 0x7e00;
    if (bits >= 0x47800000) return 0x7c00;
    /* Below 2^-14 a half counts in 2^-24, the last place of a float of [0.5, 1). */
    if (bits < 0x38800000) return to_bits(from_bits(bits) + 0.5f) - 0x3f000000;
    return (bits + 0xfff + (bits >> 13 & 1) - 0x38000000) >> 13;
}

uint16_t half_narrow(float value) {
    const uint32_t bits = to_bits(value);
    return (uint16_t)((bits >> 16 & 0x8000) | narrow_magnitude(bits & 0x7fffffff));
}
