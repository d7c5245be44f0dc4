/*
 * bench_dispatch.h - overhead of a job: empty jobs through the farm of ranks, with the journal.
 *
 * Measured in process (one rank only) and through the compute children of all ranks. The limit is
 * the journal alone: composing, checksumming and writing the two lines of each job.
 */
#ifndef BENCH_BENCH_DISPATCH_H
#define BENCH_BENCH_DISPATCH_H

#include "bench/rates_table.h"
#include "par/farm.h"

/* The job message for which a compute child does nothing. */
extern const char DISPATCH_NOTHING[];

struct bench_dispatch_options {
    size_t jobs; /* of one repeat in process; a quarter of them through children */
    size_t repeats;
    const char *machine; /* as for farm_run() */
};

/* Called on all ranks; fills `out` on rank 0. Works in a temporary folder under the current folder
 * and removes it. */
enum err_code bench_dispatch_measure(struct rates_table *out,
                                     const struct bench_dispatch_options *o, struct par *par,
                                     struct err *err);

#endif
