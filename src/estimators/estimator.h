/*
 * estimator.h - a classical learner on the same prompt, and the registry of them.
 *
 * One file an estimator: what it predicts for a query from the k examples before it.  Each is asked
 * with k = 1, 2, ... of one prompt in turn and may carry what it knows from one k to the next, in a
 * state of its own, and then says so; without examples all predict 0.  Published counterparts: Garg
 * et al., "What can transformers learn in-context?", NeurIPS 2022, whose metrics tests compare
 * with.
 */
#ifndef ESTIMATORS_ESTIMATOR_H
#define ESTIMATORS_ESTIMATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "config/config.h"

struct estimator;

struct estimator_setup { /* an estimator with its numbers; filled by estimator_setup_read */
    const struct estimator *estimator;
    double noise;  /* standard deviation of y's noise over that of one weight of the function */
    double weight; /* its own number: lambda, alpha, learning rate */
    size_t size;   /* its own size: neighbours, depth, hidden units, trees */
    size_t steps;  /* of an iteration that is not run to convergence */
    size_t batch;  /* examples of a step */
    int choice;    /* its own choice, such as the stop of lasso */
};

struct estimator_prompt {
    size_t points, dims;
    const float *x, *y;    /* [points, dims], [points]: the examples */
    const float *labels;   /* NULL, or [points, points]: row k holds the ys of the k examples before
                              query k, where they are not those of y */
    const float *query;    /* [points, dims]: query k follows examples 0 .. k - 1; x where no shift
                              tells them apart */
    uint64_t seed, sample; /* of what is drawn: streams "ESTIMATOR/PURPOSE", one sample a prompt */
};

struct estimator {
    const char *name, *meaning, *paper;
    const char *absent;            /* NULL, or why this build cannot and what to do */
    const struct config_key *keys; /* rows "NAME.KEY", when "estimator=NAME" */
    size_t n_keys;
    void (*read)(struct estimator_setup *s, const struct config_point *point); /* NULL: no keys */

    /* Bytes kept from one k to the next, for prompts of p->points and p->dims; at k = 1 they hold
     * anything. NULL: none. */
    size_t (*state)(const struct estimator_setup *s, size_t points, size_t dims);
    double (*flops)(const struct estimator_setup *s, size_t k, size_t dims); /* of one prediction */
    bool carries; /* must be asked for every smaller k of the prompt before this one */
    /* *y of query k, 1 <= k < points. ERR_NUMERIC, ERR_MEMORY. */
    enum err_code (*predict)(double *y, const struct estimator_setup *s,
                             const struct estimator_prompt *p, size_t k, void *state,
                             struct err *err);
};

size_t estimator_count(void);
const struct estimator *estimator_at(size_t i);
const struct estimator *estimator_find(const char *name);

/* Rows "estimator" (AXIS, over the names in the registry) and every estimator's own. */
enum err_code estimator_schema(struct config_schema *out, struct err *err);
/* noise: see estimator_setup. */
void estimator_setup_read(struct estimator_setup *out, const struct config_point *point,
                          double noise);
/* The same by name; its numbers are 0, for the caller to fill. */
void estimator_setup_named(struct estimator_setup *out, const char *name);

/* ERR_CONFIG, naming the remedy, for an estimator that this build lacks. */
enum err_code estimator_check(const struct estimator *e, struct err *err);

size_t estimator_state(const struct estimator_setup *s, size_t points, size_t dims); /* bytes */

/* predictions [points]: entry k is that of query k, from k examples. state: as many bytes as
 * estimator_state() says. */
enum err_code estimator_curve(float *predictions, const struct estimator_setup *s,
                              const struct estimator_prompt *p, void *state, struct err *err);

#endif
