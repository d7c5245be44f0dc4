/*
 * bench_scaling.h - real runs on 1, 2, 4, ... ranks of this machine, as a user would start them.
 *
 * Each run pretrains one model with all its ranks (data-parallel), then fits and evaluates a vector
 * on each rank.  Rates come from the seconds that the journal has for each job.  The limit of a
 * rate is the one of a single rank times the ranks.
 */
#ifndef BENCH_BENCH_SCALING_H
#define BENCH_BENCH_SCALING_H

#include "bench/bench_size.h"
#include "bench/rates_table.h"

struct scaling_options {
    const struct bench_size *size;
    size_t ranks; /* at most; 0: as many as cores are allowed */
    size_t repeats;
};

/* Works in a folder of its own under the current one, and removes it. ERR_DIFFERS when a model
 * trained by several ranks has other bits than one trained by one. */
enum err_code bench_scaling(struct rates_table *out, const struct scaling_options *o,
                            struct err *err);

#endif
