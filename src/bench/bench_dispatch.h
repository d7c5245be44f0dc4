/*
 * bench_dispatch.h - what a job costs the farm: jobs that do nothing, journal and all.
 *
 * In process (one rank only), and through the compute children of all ranks.  The limit is the
 * journal alone: the two lines of a job made, checksummed and written.
 */
#ifndef BENCH_BENCH_DISPATCH_H
#define BENCH_BENCH_DISPATCH_H

#include "bench/rates_table.h"
#include "par/farm.h"

/* What a compute child must take for "do nothing". */
extern const char DISPATCH_NOTHING[];

struct bench_dispatch_options {
    size_t jobs; /* of a repeat in process; a quarter of it through children */
    size_t repeats;
    const char *machine; /* as for farm_run() */
};

/* Collective; fills the tally on rank 0. Works in a folder of its own under the current one, and
 * removes it. */
enum err_code bench_dispatch_measure(struct rates_table *out,
                                     const struct bench_dispatch_options *o, struct par *par,
                                     struct err *err);

#endif
