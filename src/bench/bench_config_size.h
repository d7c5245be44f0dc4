/*
 * bench_config_size.h - the size of a bench, by name or from a config.
 */
#ifndef BENCH_BENCH_CONFIG_SIZE_H
#define BENCH_BENCH_CONFIG_SIZE_H

#include "base/err.h"
#include "bench/bench_size.h"

/* "tiny", "small", "standard", or the path of a config: its first fit says model, lengths, prompts
 * and mini-batch, its first pretraining, if there is one, the batch. ERR_USAGE, ERR_CONFIG. */
enum err_code bench_config_size_read(struct bench_size *out, const char *word, struct err *err);

#endif
