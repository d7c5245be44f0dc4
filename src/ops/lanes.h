/*
 * lanes.h - eight floats as one value, which GCC and clang hold in an AVX register.
 *
 * Used where a loop must treat its tail like its body, so that results do not depend on the memory
 * after a row.  Sums over lanes have one fixed order.
 */
#ifndef OPS_LANES_H
#define OPS_LANES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { LANES = 8 };

typedef float lanes __attribute__((vector_size(32)));
typedef int32_t lane_mask __attribute__((vector_size(32)));
typedef uint32_t lane_bits __attribute__((vector_size(32)));

static inline lanes lanes_load(const float *x) {
    lanes v;
    memcpy(&v, x, sizeof v);
    return v;
}

static inline void lanes_store(float *x, lanes v) { memcpy(x, &v, sizeof v); }

/* The last n < LANES values of an array; nothing beyond them is read. */
static inline lanes lanes_load_tail(const float *x, size_t n) {
    lanes v = {0};
    memcpy(&v, x, n * sizeof *x);
    return v;
}

static inline void lanes_store_tail(float *x, lanes v, size_t n) { memcpy(x, &v, n * sizeof *x); }

static inline lanes lanes_all(float x) { return (lanes){x, x, x, x, x, x, x, x}; }

static inline lanes lanes_choose(lane_mask mask, lanes yes, lanes no) {
    return (lanes)((mask & (lane_mask)yes) | (~mask & (lane_mask)no));
}

/* All ones in lanes 0 .. n-1. */
static inline lane_mask lanes_first(size_t n) {
    const lane_mask index = {0, 1, 2, 3, 4, 5, 6, 7};
    return index < (n < LANES ? (int32_t)n : LANES);
}

/* v with 0 in the lanes from n on, even where they held a NaN. */
static inline lanes lanes_keep(lanes v, size_t n) { return (lanes)((lane_mask)v & lanes_first(n)); }

/* x[0..n) of an array of `room` >= n floats, with `fill` in the other lanes; nothing beyond the
 * room is read. */
static inline lanes lanes_load_first(const float *x, size_t n, size_t room, float fill) {
    if (room >= LANES) return lanes_choose(lanes_first(n), lanes_load(x), lanes_all(fill));
    lanes v = lanes_all(fill);
    for (size_t i = 0; i < n && i < LANES; i++) v[i] = x[i];
    return v;
}

static inline void lanes_store_first(float *x, lanes v, size_t room) {
    if (room >= LANES)
        lanes_store(x, v);
    else
        for (size_t i = 0; i < room && i < LANES; i++) x[i] = v[i];
}

static inline float lanes_sum(lanes v) {
    return ((v[0] + v[4]) + (v[1] + v[5])) + ((v[2] + v[6]) + (v[3] + v[7]));
}

#if defined(__clang__) || __GNUC__ >= 12
#define LANES_PICK(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define LANES_PICK(a, b, ...) __builtin_shuffle(a, b, (lane_mask){__VA_ARGS__})
#endif

/* Sums of lanes of a and b in turn, halved: [a0+a2, b0+b2, a1+a3, b1+b3 | the same of 4 .. 7]. */
static inline lanes lanes_fold(lanes a, lanes b) {
    return LANES_PICK(a, b, 0, 8, 1, 9, 4, 12, 5, 13) +
           LANES_PICK(a, b, 2, 10, 3, 11, 6, 14, 7, 15);
}

/* The sums of four, each in two halves: [a b c d | a b c d]. */
static inline lanes lanes_fold_four(const lanes *v) {
    const lanes a = lanes_fold(v[0], v[1]), b = lanes_fold(v[2], v[3]);
    return LANES_PICK(a, b, 0, 1, 8, 9, 4, 5, 12, 13) +
           LANES_PICK(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
}

/* Lane i: the sum of v[i]. Eight sums cost about as much as three calls of lanes_sum(). */
static inline lanes lanes_sums(const lanes v[LANES]) {
    const lanes a = lanes_fold_four(v), b = lanes_fold_four(v + 4);
    return LANES_PICK(a, b, 0, 1, 2, 3, 8, 9, 10, 11) +
           LANES_PICK(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
}

/* Of four, two columns each, i and i + 4, halved: [v0 v1 v2 v3 at i | the same at i + 4]. */
static inline void lanes_transpose_four(lanes out[4], const lanes *v) {
    const lanes a = LANES_PICK(v[0], v[1], 0, 8, 1, 9, 4, 12, 5, 13);
    const lanes b = LANES_PICK(v[2], v[3], 0, 8, 1, 9, 4, 12, 5, 13);
    const lanes c = LANES_PICK(v[0], v[1], 2, 10, 3, 11, 6, 14, 7, 15);
    const lanes d = LANES_PICK(v[2], v[3], 2, 10, 3, 11, 6, 14, 7, 15);
    out[0] = LANES_PICK(a, b, 0, 1, 8, 9, 4, 5, 12, 13);
    out[1] = LANES_PICK(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
    out[2] = LANES_PICK(c, d, 0, 1, 8, 9, 4, 5, 12, 13);
    out[3] = LANES_PICK(c, d, 2, 3, 10, 11, 6, 7, 14, 15);
}

/* out[i], lane j = v[j], lane i. */
static inline void lanes_transpose(lanes out[LANES], const lanes v[LANES]) {
    lanes top[4], rest[4];
    lanes_transpose_four(top, v);
    lanes_transpose_four(rest, v + 4);
    for (size_t i = 0; i < 4; i++) {
        out[i] = LANES_PICK(top[i], rest[i], 0, 1, 2, 3, 8, 9, 10, 11);
        out[i + 4] = LANES_PICK(top[i], rest[i], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

static inline lanes lanes_max(lanes a, lanes b) { return lanes_choose(b > a, b, a); }

/* The largest of the eight. */
static inline float lanes_top(lanes v) {
    float top = v[0];
    for (size_t i = 1; i < LANES; i++) top = v[i] > top ? v[i] : top;
    return top;
}

#endif
