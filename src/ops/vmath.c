#include "ops/vmath.h"

#if defined(TASKVEC_SLEEF) && defined(__AVX2__)

#include <string.h>

#include <immintrin.h>
#include <sleef.h>

void vmath_exp(float *out, const float *in, size_t n) {
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        _mm256_storeu_ps(out + i, Sleef_expf8_u10avx2(_mm256_loadu_ps(in + i)));
    if (i == n) return;
    float tail[LANES] = {0};
    memcpy(tail, in + i, (n - i) * sizeof *tail);
    _mm256_storeu_ps(tail, Sleef_expf8_u10avx2(_mm256_loadu_ps(tail)));
    memcpy(out + i, tail, (n - i) * sizeof *tail);
}

lanes vmath_exp_lanes(lanes x) { return (lanes)Sleef_expf8_u10avx2((__m256)x); }

const char *vmath_name(void) { return "SLEEF AVX2"; }

#else

#include <math.h>

void vmath_exp(float *out, const float *in, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = expf(in[i]);
}

lanes vmath_exp_lanes(lanes x) {
    for (size_t i = 0; i < LANES; i++) x[i] = expf(x[i]);
    return x;
}

const char *vmath_name(void) { return "libm"; }

#endif
