/*
 * bench_text_size.h - the language model that `bench model` runs: random weights in the shape of a
 * published model, or a Hugging Face folder.
 *
 * tiny is for tests. gpt2-small and smollm2-135m are whole; llama-3-8b has 2 of its 32 layers and,
 * to save memory, the token embedding as output matrix.
 */
#ifndef BENCH_BENCH_TEXT_SIZE_H
#define BENCH_BENCH_TEXT_SIZE_H

#include "base/err.h"
#include "bench/bench_size.h"

struct bench_text_request {  /* words of the command line; NULL: not given */
    const char *size, *type; /* of random weights: smollm2-135m and f32 unless given */
    size_t layers;           /* of random weights: the first few alone; 0: all of the size */
    const char *folder;      /* excludes both */
};

/* ERR_USAGE; ERR_DATA of a folder. */
enum err_code bench_text_size_read(struct bench_size *out, const struct bench_text_request *r,
                                   struct err *err);

#endif
