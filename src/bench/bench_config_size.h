/*
 * bench_config_size.h - the size of a benchmark, by name or from a config.
 */
#ifndef BENCH_BENCH_CONFIG_SIZE_H
#define BENCH_BENCH_CONFIG_SIZE_H

#include "base/err.h"
#include "bench/bench_size.h"

/* word: "tiny", "small", "standard", or the path of a config, whose first fit gives the model, the
 * lengths, the number of prompts and the mini-batch, and whose first pretraining, if any, gives the
 * batch. ERR_USAGE, ERR_CONFIG. */
enum err_code bench_config_size_read(struct bench_size *out, const char *word, struct err *err);

#endif
