/*
 * bench.h - the project's own yardsticks, each measured beside its limit, in the same run.
 *
 * A bench is one file with one `const struct bench` and one line in bench.c.  It offers lines:
 * pieces of work that every rank does at the same time, with the useful arithmetic and the bytes of
 * one unit.  Useful means: what the mathematics asks for, whatever the code does.  The limit of a
 * line is the machine's sgemm and read rate, measured in the same interleaved repeats on all ranks
 * at once, taken in series: seconds = flops / sgemm + bytes / bandwidth.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "base/err.h"
#include "bench/bench_size.h"

enum { BENCH_LINES = 8, BENCH_PARTS = 2 };

struct bench_line {
    const char *name, *unit; /* "cached", "prompts" */
    double units;            /* that one rank does in one repeat */
    double flops, bytes;     /* useful, of one unit; 0 for a line of parts, which has its parts' */
    double memory;           /* bytes that `plan` would say for this work; 0: not planned */
    struct {
        size_t line;  /* an earlier line */
        double share; /* its units in one unit of this line */
    } parts[BENCH_PARTS];
    size_t n_parts;     /* > 0: not run, but put together from earlier lines */
    const char *beside; /* what the line before it is called when their times are divided, */
};                      /* "full forwards"; NULL: not compared */

struct bench {
    const char *name, *meaning;
    /* Everything the lines need; fills lines and *n. The state is the bench's own. */
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
