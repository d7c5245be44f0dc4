/*
 * bench_weights.h - the language model of `bench model`: random weights in the shape of a published
 * model, or a Hugging Face folder.
 */
#ifndef BENCH_BENCH_WEIGHTS_H
#define BENCH_BENCH_WEIGHTS_H

#include "bench/bench_size.h"
#include "model/hf/hf_model.h"
#include "model/params.h"

struct bench_weights {
    struct params params;
    struct hf_model folder; /* of size->folder */
    struct arena floats;    /* random weights of this process alone */
    uint16_t *narrow;       /* the same, in halves */
    double bytes;           /* of the matrices of all layers, as stored */
    double output_bytes;    /* of the output matrix, as stored */
};

/* ERR_MEMORY, ERR_DATA. *w is zero before. */
enum err_code bench_weights_init(struct bench_weights *w, const struct bench_size *size,
                                 struct err *err);
void bench_weights_release(struct bench_weights *w); /* idempotent */

/* "F32", "F16", "BF16". */
const char *bench_weights_type(enum weight_type type);

#endif
