/*
 * bench.h - benchmarks, each measured in the same run as the hardware limit it is compared with.
 *
 * A benchmark is one file with one `const struct bench` and one line in bench.c. It defines lines:
 * pieces of work that all ranks do at the same time, with the useful arithmetic and the bytes of
 * one unit. Useful is what the mathematics requires, not what the code happens to do. The limit of
 * a line comes from the machine's sgemm rate and memory bandwidth, measured in the same interleaved
 * repeats on all ranks at once, one after the other: seconds = flops / sgemm + bytes / bandwidth.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "base/err.h"
#include "bench/bench_size.h"

enum { BENCH_LINES = 8, BENCH_PARTS = 2 };

struct bench_line {
    const char *name, *unit; /* "cached", "prompts" */
    double units;            /* done by one rank in one repeat */
    double flops, bytes;     /* useful, of one unit; 0 for a line of parts: their sum */
    double memory;           /* bytes that plan predicts for this work; 0: no prediction */
    struct {
        size_t line;  /* an earlier line */
        double share; /* its units in one unit of this line */
    } parts[BENCH_PARTS];
    size_t n_parts;            /* > 0: not run, but computed from earlier lines */
    const char *compared_with; /* prints the time in units of the line before, under this name:
                                  "full forwards"; NULL: not compared */
};

struct bench {
    const char *name, *meaning; /* "model" takes a size of bench_text_size.h, the others one of
                                   bench_config_size.h */
    /* Allocates what the lines need into *state; fills lines and *n. */
    enum err_code (*open)(void **state, struct bench_line lines[BENCH_LINES], size_t *n,
                          const struct bench_size *size, struct err *err);
    enum err_code (*run)(void *state, size_t line, struct err *err); /* the timed work */
    void (*close)(void *state);                                      /* NULL-safe */
};

/* The registry, in the order of --help. */
size_t bench_count(void);
const struct bench *bench_at(size_t i);
const struct bench *bench_find(const char *name); /* NULL: unknown */

#endif
