/*
 * prompts.h - prompts drawn from a problem: functions, covariates, values.
 *
 * Every number is a pure function of (seed, problem, split, sample, point): sample i of a split is
 * the same prompt in every batch, for every method and on every rank, and a longer prompt extends a
 * shorter one.  Splits: "pretrain", "fit", "validation", "test"; repeats of a fit read
 * "fit/REPEAT".  Streams: "PROBLEM/SPLIT/function", ".../covariate", ".../noise", and the name of a
 * shift for its own draws. Except in the stream of functions, point i of a prompt is point i of the
 * stream.  Only `renormalise` depends on the whole batch.
 */
#ifndef SOURCES_PROBLEMS_PROMPTS_H
#define SOURCES_PROBLEMS_PROMPTS_H

#include "base/arena.h"
#include "sources/problems/shift.h"
#include "sources/prompt_view.h"

struct prompts {
    size_t n, points, dims;
    float *x;            /* [n, points, dims] */
    float *y;            /* [n, points] */
    float *functions;    /* [n, parameters] */
    struct arena memory; /* owns the floats */

    /* Filled by some shifts, otherwise NULL: the query after k examples where it differs from point
     * k, and the labels shown before it where they differ from those of the points. */
    float *query_x, *query_y; /* [n, points, dims], [n, points] */
    float *shown_y;           /* [n, points, points] row k: k labels, then zeros */
    double *work;             /* for the shift, prepared with the first draw */
    uint32_t *order;
    bool prepared;
};

struct prompts_setup { /* what determines prompts, together with the sample number */
    struct problem_setup setup;
    uint64_t seed;
    char split[32];           /* part of every stream name */
    char covariates[32];      /* another split for covariates and noise; "": `split` */
    struct shift_setup shift; /* zeros: none */
};

/* Room for n prompts, with the arrays of the shift. */
enum err_code prompts_create(struct prompts *p, const struct prompts_setup *source, size_t n,
                             size_t points, struct err *err);
void prompts_destroy(struct prompts *p);
size_t prompts_bytes(const struct prompts_setup *source, size_t n, size_t points);

/* Fills p with samples first .. first + n - 1. Coordinates of x from `active` on are 0. */
void prompts_draw(struct prompts *p, const struct prompts_setup *source, uint64_t first,
                  size_t active);

/* As stages and models read them. */
struct prompt_view prompts_view(const struct prompts *p);

/* y [n] *= sqrt(dims) / their unbiased standard deviation, as the published noisy linear regression
 * does with a whole batch; unchanged for fewer than two or equal values. */
void prompts_renormalise(float *y, size_t n, size_t dims);

#endif
