/*
 * vmath.h - exp of eight floats, inline, so that the compiler can schedule it with the loop around
 * it.
 *
 * One routine for every build and every element: tails of arrays go through whole lanes too
 * (lanes.h), so a result does not depend on its place in an array.
 */
#ifndef OPS_VMATH_H
#define OPS_VMATH_H

#include "ops/lanes.h"

/* exp(x) within 1.3 ulp; 0 where exp(x) < 2e-38, infinity where it overflows, NaN of NaN.
 * x = n ln 2 + r with |r| <= ln 2 / 2 (Cody and Waite 1980, ch. 6: ln 2 in two parts, n times the
 * first exact), exp(r) by a polynomial of degree 6; 2 exp(r) times 2^(n-1) by adding n - 1 to the
 * exponent bits. */
static inline lanes vmath_exp(lanes x) {
    const lanes low = lanes_all(-87.0f), high = lanes_all(89.0f);
    const lanes round = lanes_all(0x1.8p23f); /* adding it leaves n in the lowest bits */
    const lane_mask vanishes = x < low;
    x = lanes_choose(x > high, high, x);
    const lanes shifted = x * 0x1.715476p0f + round, n = shifted - round; /* 1 / ln 2 */
    lanes r = x - n * 0x1.63p-1f;
    r = r + n * 0x1.bd0106p-13f;
    const lanes r2 = r * r; /* 2 exp(r), minimax with relative error 3e-9, in Estrin's order */
    lanes p = r2 * 0x1.6a244ap-9f + (r * 0x1.1239d6p-6f + 0x1.5558f2p-4f);
    p = p * r2 + (r * 0x1.555492p-2f + 0x1.fffffcp-1f);
    p = p * r2 + (r * 2.0f + 2.0f);
    const lane_bits exponent = ((lane_bits)shifted + 126) << 23;
    return (lanes)(~vanishes & (lane_mask)(p * (lanes)exponent));
}

#endif
