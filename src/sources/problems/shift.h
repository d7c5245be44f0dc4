/*
 * shift.h - a distribution shift of test prompts, and the registry of shifts.
 *
 * To add a shift, write one file that defines `const struct shift shift_NAME` (close relatives
 * share a file) and add one line to the registry in shift.c. A shift transforms the draws of a
 * prompt: covariates before the function is evaluated, values after. Its own random draws come from
 * a stream with its name, indexed by sample and point (prompts.h), so every shift transforms the
 * same draws of the same functions. docs/methods.md has the equations.
 *
 * Protocol of Garg et al. (NeurIPS 2022): after k examples a prompt shows the pairs of
 * x_pre[0 .. k - 1] and queries x_post[k].  Sizes: D dims, T points.
 */
#ifndef SOURCES_PROBLEMS_SHIFT_H
#define SOURCES_PROBLEMS_SHIFT_H

#include "sources/problems/problem.h"

struct shift;

struct shift_setup {           /* a shift with its numbers; all 0: none */
    const struct shift *shift; /* NULL: none */
    double level;              /* noise or factor (level_key); else 0 */
    int variant;               /* an enum of the shift; else 0 */
};

struct shift_prompt { /* one prompt while it is drawn */
    const struct shift_setup *setup;
    const struct problem_setup *problem;
    struct rng stream; /* for the shift's own draws */
    uint64_t sample;
    size_t points;
    float *x, *y;             /* [T, D], [T] of the context */
    float *query_x, *query_y; /* the same of the queries; NULL unless `apart` */
    float *shown_y;           /* [T, T] row k: the labels of the k pairs shown; NULL unless
                                 `relabels` */
    double *work;             /* [work(D)] */
    uint32_t *order;          /* [T] scratch */
};

struct shift {
    const char *name, *meaning, *paper;
    const struct config_key *keys; /* its own rows, named "NAME.KEY", when "shift=NAME" */
    size_t n_keys;
    const char *level_key; /* the key that fills setup.level, or NULL */
    void (*read)(struct shift_setup *s, const struct config_point *point); /* other keys; or NULL */

    bool apart;           /* x_post differs from x_pre: query_x and query_y are filled */
    bool relabels;        /* labels depend on k: shown_y is filled */
    bool within_dims;     /* undefined from k = D on: those points are dropped */
    bool noise;           /* level is the standard deviation of noise on y */
    bool numbers;         /* for problems whose y is a number, not a class */
    size_t dims_least;    /* smallest D; 0: any */
    const char *function; /* stream purpose of the functions; NULL: "function" */

    size_t (*work)(size_t dims); /* doubles; NULL: none */
    /* Fills `work` once for all prompts of a source. NULL: work is scratch. */
    void (*prepare)(double *work, size_t dims, const struct rng *stream);
    void (*covariates)(const struct shift_prompt *p); /* x as drawn -> x, query_x */
    void (*values)(const struct shift_prompt *p);     /* y, query_y -> y, query_y, shown_y */
};

size_t shift_count(void);
const struct shift *shift_at(size_t i);
const struct shift *shift_find(const char *name);

/* Adds the rows "shift" (an axis, default "none") and every shift's own keys. */
enum err_code shift_schema(struct config_schema *out, struct err *err);

/* From a point with these rows; "none" is a shift whose members are all NULL. */
void shift_setup_read(struct shift_setup *out, const struct config_point *point);

/* Points of a prompt for which the shift is defined, at most `points`. */
size_t shift_points(const struct shift_setup *s, size_t dims, size_t points);

const char *shift_name(const struct shift_setup *s); /* "none" */

/* ERR_CONFIG where the shift does not make sense for the problem of the point. */
enum err_code shift_check(const struct shift_setup *s, const struct problem_setup *problem,
                          const struct config_point *point, struct err *err);

#endif
