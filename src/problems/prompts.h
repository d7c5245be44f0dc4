/*
 * prompts.h - prompts drawn from a problem: functions, covariates, values.
 *
 * Everything is a pure function of (seed, problem, split, sample, point): sample i of a split is
 * the same prompt in every batch, for every method, on every rank, and a longer prompt extends a
 * shorter one.  Splits: "pretrain", "fit", "validation", "test"; repeats of a fit read
 * "fit/REPEAT".  Streams are "PROBLEM/SPLIT/function", ".../covariate" and ".../noise"; in the last
 * two, point i of a prompt is point i of the stream.  Only renormalise looks at the whole batch.
 */
#ifndef PROBLEMS_PROMPTS_H
#define PROBLEMS_PROMPTS_H

#include "base/arena.h"
#include "problems/problem.h"

struct prompts {
    size_t n, points, dims;
    float *x;            /* [n, points, dims] */
    float *y;            /* [n, points] */
    float *functions;    /* [n, parameters] */
    struct arena memory; /* owns the three */
};

struct prompt_source {
    struct problem_setup setup;
    uint64_t seed;
    char split[32];      /* names the functions, and with them everything else */
    char covariates[32]; /* another split for covariates and noise; "": the same as `split` */
};

enum err_code prompts_create(struct prompts *p, const struct problem_setup *s, size_t n,
                             size_t points, struct err *err);
void prompts_destroy(struct prompts *p);

/* Fills p with samples first .. first + n - 1. active: coordinates in use, the others are 0 in x.
 */
void prompts_draw(struct prompts *p, const struct prompt_source *source, uint64_t first,
                  size_t active);

/* y [n] *= sqrt(dims) / their unbiased standard deviation (published noisy linear regression, over
 * a whole batch); fewer than two or all equal: unchanged. The one draw that depends on the batch.
 */
void prompts_renormalise(float *y, size_t n, size_t dims);

#endif
