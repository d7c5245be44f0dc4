/*
 * bench_scaling.h - complete runs on 1, 2, 4, ... ranks of this machine, as a user would start
 * them.
 *
 * Each run pretrains one model with all its ranks (data-parallel), then fits and evaluates one
 * vector per rank. Rates come from the seconds that the journal records for each job. The limit of
 * a rate is the rate of one rank times the number of ranks.
 */
#ifndef BENCH_BENCH_SCALING_H
#define BENCH_BENCH_SCALING_H

#include "bench/bench_size.h"
#include "bench/rates_table.h"

struct bench_scaling_options {
    const struct bench_size *size;
    size_t ranks; /* at most; 0: one per core that the process may use */
    size_t repeats;
};

/* Works in a temporary folder under the current folder and removes it. ERR_DIFFERS if a model
 * trained by several ranks does not equal, bit for bit, the one trained by one rank. */
enum err_code bench_scaling(struct rates_table *out, const struct bench_scaling_options *o,
                            struct err *err);

#endif
