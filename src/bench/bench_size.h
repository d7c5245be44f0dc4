/*
 * bench_size.h - the sizes of the models, prompts and batches that benchmarks run on.
 *
 * tiny is for tests; small has the sizes of the shipped models; standard is the published model of
 * linear regression (Garg et al., NeurIPS 2022): 12 layers, 8 heads, width 256, 20 coordinates of
 * x, trained on prompts of up to 41 points.
 */
#ifndef BENCH_BENCH_SIZE_H
#define BENCH_BENCH_SIZE_H

#include "model/model_products.h"
#include "ops/weight.h"

struct bench_size {
    const char *name;
    struct model_dims dims;
    size_t trained_points;   /* length of pretraining prompts, and T0 of the basis */
    size_t pretrain_prompts; /* prompts of one update */
    size_t points;           /* length of the prompts of fits and curves */
    size_t prompts;          /* prompts of a fit with cached contexts, per rank */
    size_t batch;            /* prompts of a mini-batch of a fit */
    size_t few;              /* prompts of one repeat if contexts are recomputed */
    size_t read_bytes;       /* read to measure the bandwidth, per rank */
    size_t sgemm;            /* side of the square matrices of sgemm; also twice this side */
    double sgemm_flops;      /* least work of one repeat of each shape */
    struct model_arithmetic products; /* of the model, and of the limit */

    /* Of language models: bench_text_size.h. */
    const char *folder;    /* NULL: random weights */
    enum weight_type type; /* of random weights */
    size_t whole_layers;   /* of the published model, of which dims has the first few; 0: all */
    size_t tokens;         /* of a prompt */
    size_t map_prompts;    /* of one repeat of a causal map */
};

extern const struct bench_size BENCH_SIZES[];
extern const size_t BENCH_SIZE_COUNT;

const struct bench_size *bench_size_find(const char *name); /* NULL: unknown */

#endif
