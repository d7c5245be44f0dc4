/*
 * bench_size.h - how large the work of a bench is.
 *
 * tiny is for tests, small is the shipped model, standard is the published model of linear
 * regression (methods 4.1): 12 layers, 8 heads, width 256, x of 20 coordinates, trained to 41
 * points.
 */
#ifndef BENCH_BENCH_SIZE_H
#define BENCH_BENCH_SIZE_H

#include "model/dims.h"

struct bench_size {
    const char *name;
    struct model_dims dims;
    size_t trained_points;   /* prompts of pretraining, and T0 of the vectors' basis */
    size_t pretrain_prompts; /* of one update */
    size_t points;           /* prompts of fits and curves */
    size_t prompts;          /* of a fit whose contexts are kept, on each rank */
    size_t batch;            /* of a fit */
    size_t few;              /* prompts of one repeat where contexts are made anew */
    size_t read_bytes;       /* that the bandwidth is measured on, on each rank */
    size_t sgemm;            /* sgemm is measured at this side and its double */
    double sgemm_flops;      /* of one repeat of each shape, at least */
};

extern const struct bench_size BENCH_SIZES[];
extern const size_t BENCH_SIZE_COUNT;

const struct bench_size *bench_size_find(const char *name); /* NULL: unknown */

#endif
