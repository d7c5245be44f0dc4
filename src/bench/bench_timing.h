/*
 * bench_timing.h - a bench, timed: its lines and the machine's limits in turn, on all ranks at
 * once.
 *
 * A repeat runs every probe of the limit and every line once, each begun by all ranks together; its
 * time is that of the last rank.  Figures are medians over the repeats.  The first, untimed round
 * touches the memory.
 */
#ifndef BENCH_BENCH_TIMING_H
#define BENCH_BENCH_TIMING_H

#include "bench/bench.h"
#include "bench/median.h"
#include "par/par.h"

enum { MEASURE_REPEATS_MAX = MEDIAN_MAX };

struct measured_line {
    struct bench_line line; /* flops and bytes filled for lines of parts too */
    double rate;            /* units a second, of all ranks together */
    double low, high;       /* slowest and fastest repeat */
    double limit;           /* the rate that sgemm and bandwidth allow */
    double gflops;          /* useful, of one rank */
    double beside;          /* seconds of a unit over those of the line before; 0: not asked */
    double repeats[MEASURE_REPEATS_MAX]; /* rates; none for a line of parts */
};

struct measured { /* filled on rank 0 */
    const struct bench *bench;
    const struct bench_size *size;
    size_t ranks, repeats;
    double gflops, bandwidth; /* of one rank with all busy: sgemm, bytes a second */
    char shape[48];           /* of the best product */
    double memory;            /* bytes the lines' work took, of the rank that took most */
    struct measured_line lines[BENCH_LINES];
    size_t n_lines;
};

/* Collective. repeats <= MEASURE_REPEATS_MAX. */
enum err_code measure(struct measured *out, const struct bench *bench,
                      const struct bench_size *size, size_t repeats, struct par *par,
                      struct err *err);

#endif
