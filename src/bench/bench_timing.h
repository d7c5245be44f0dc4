/*
 * bench_timing.h - times the lines of a benchmark and the hardware limit, on all ranks at once.
 *
 * A repeat runs every probe of the limit and every line once. All ranks start each of them
 * together, and its time ends when the last rank has finished. Results are medians over the
 * repeats. An untimed round before the first repeat touches the memory.
 */
#ifndef BENCH_BENCH_TIMING_H
#define BENCH_BENCH_TIMING_H

#include <stdbool.h>

#include "bench/bench.h"
#include "bench/median.h"
#include "par/par.h"

enum { MEASURE_REPEATS_MAX = MEDIAN_MAX };

struct measured_line {
    struct bench_line line; /* flops and bytes filled for lines of parts too */
    double rate;            /* units per second, of all ranks together */
    double low, high;       /* slowest and fastest repeat */
    double limit;           /* the rate that sgemm and bandwidth allow */
    double gflops;          /* useful, of one rank */
    double ratio;           /* time of a unit over that of the line before; 0: not compared */
    double repeats[MEASURE_REPEATS_MAX]; /* rates; none for a line of parts */
};

struct measured { /* filled on rank 0 */
    const struct bench *bench;
    const struct bench_size *size;
    size_t ranks, repeats;
    bool processor_time;
    double gflops, bandwidth; /* of one rank while all are busy: sgemm, bytes per second */
    char shape[48];           /* of the fastest matrix product */
    double memory;            /* bytes taken by the lines, of the rank that took most */
    struct measured_line lines[BENCH_LINES];
    size_t n_lines;
};

struct measure_options {
    const struct bench *bench;
    const struct bench_size *size;
    size_t repeats;      /* at most MEASURE_REPEATS_MAX */
    bool processor_time; /* instead of elapsed time, on a machine that other programs use */
};

/* Called on all ranks. */
enum err_code measure(struct measured *out, const struct measure_options *o, struct par *par,
                      struct err *err);

#endif
