/*
 * shift.h - prompts from another distribution than the model was trained on, and their registry.
 *
 * A shift transforms the draws of a prompt after they were made: of covariates before the function
 * is asked, of values after.  What it draws itself is a purpose of its own, its name, indexed by
 * sample and point (prompts.h), so it transforms the same draws of the same functions.
 *
 * Pre/post protocol of Garg et al. (NeurIPS 2022): after k examples a prompt shows the pairs of
 * x_pre[0 .. k - 1] and asks for the y of x_post[k].  Sizes: D dims, T points.
 */
#ifndef SOURCES_PROBLEMS_SHIFT_H
#define SOURCES_PROBLEMS_SHIFT_H

#include "sources/problems/problem.h"

struct shift;

struct shift_setup {           /* a shift with its numbers; all 0: none */
    const struct shift *shift; /* NULL: none */
    double level;              /* its own number: noise, factor; else 0 */
    int variant;               /* its own choice; else 0 */
};

struct shift_prompt { /* one prompt on its way */
    const struct shift_setup *setup;
    const struct problem_setup *problem;
    struct rng stream; /* of the shift's own draws */
    uint64_t sample;
    size_t points;
    float *x, *y;             /* [T, D], [T] what the context shows */
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
    const char *level_key; /* the FLOAT key that fills setup.level, or NULL */
    void (*read)(struct shift_setup *s, const struct config_point *point); /* what else; or NULL */

    bool apart;           /* x_post is not x_pre: query_x and query_y are there */
    bool relabels;        /* labels depend on how many are shown: shown_y is there */
    bool within_dims;     /* says nothing from k = D on: those points are left out */
    bool noise;           /* level is the standard deviation of noise on y */
    bool numbers;         /* only where y is a number, not a class */
    size_t dims_least;    /* smallest D it makes sense for; 0: any */
    const char *function; /* the purpose that functions are drawn from; NULL: "function" */

    size_t (*work)(size_t dims); /* doubles; NULL: none */
    /* Fills `work` once for all prompts of a source. NULL: nothing to prepare, work is scratch. */
    void (*prepare)(double *work, size_t dims, const struct rng *stream);
    void (*covariates)(const struct shift_prompt *p); /* x, as drawn, -> x and query_x */
    void (*values)(const struct shift_prompt *p);     /* y and query_y -> these, and shown_y */
};

size_t shift_count(void);
const struct shift *shift_at(size_t i);
const struct shift *shift_find(const char *name);

/* Rows "shift" (AXIS, default "none") and every shift's own. */
enum err_code shift_schema(struct config_schema *out, struct err *err);

/* From a point with the rows; "none" is a shift too, whose members are all NULL. */
void shift_setup_read(struct shift_setup *out, const struct config_point *point);

/* Points that a prompt of `points` keeps: those the shift says something about. */
size_t shift_points(const struct shift_setup *s, size_t dims, size_t points);

const char *shift_name(const struct shift_setup *s); /* "none" */

/* ERR_CONFIG where the shift does not make sense for the problem of the point. */
enum err_code shift_check(const struct shift_setup *s, const struct problem_setup *problem,
                          const struct config_point *point, struct err *err);

#endif
