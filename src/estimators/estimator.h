/*
 * estimator.h - a classical learner on the prompts that the model sees, and the registry of them.
 *
 * To add an estimator, write one file that defines `const struct estimator estimator_NAME` and add
 * one line to the registry in estimator.c. An estimator predicts y of a query from the k examples
 * before it. It is called with k = 1, 2, ... of one prompt, in order, and may keep a state from one
 * k to the next (`carries`). Without examples every estimator predicts 0. docs/methods.md has their
 * equations. The published counterparts are those of Garg et al., "What Can Transformers Learn
 * In-Context?", NeurIPS 2022; tests compare with their metrics.
 */
#ifndef ESTIMATORS_ESTIMATOR_H
#define ESTIMATORS_ESTIMATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "config/config.h"

struct estimator;

struct estimator_setup { /* an estimator with its numbers, from estimator_setup_read */
    const struct estimator *estimator;
    double noise;  /* standard deviation of the noise on y divided by that of a weight */
    double weight; /* lambda, alpha or learning rate */
    size_t size;   /* neighbours, depth or hidden units */
    size_t steps;  /* fixed number of iterations */
    size_t batch;  /* examples per step */
    int choice;    /* an enum of the estimator, such as the stopping rule of lasso */
};

struct estimator_prompt {
    size_t points, dims;
    const float *x, *y;    /* [points, dims], [points]: the examples */
    const float *labels;   /* NULL, or [points, points]: row k holds the labels of the k examples
                              before query k, for shifts that change labels with k */
    const float *query;    /* [points, dims]: query k follows examples 0 .. k - 1; equal to x unless
                              a shift draws queries separately */
    uint64_t seed, sample; /* of random draws: streams "ESTIMATOR/PURPOSE", one sample per prompt */
};

struct estimator {
    const char *name, *meaning, *paper;
    const char *absent;            /* NULL, or how to get a build that has it */
    const struct config_key *keys; /* rows "NAME.KEY", when "estimator=NAME" */
    size_t n_keys;
    void (*read)(struct estimator_setup *s, const struct config_point *point); /* NULL: no keys */

    /* Bytes of the state for prompts of this size, uninitialised at k = 1. NULL: none. */
    size_t (*state)(const struct estimator_setup *s, size_t points, size_t dims);
    /* Work of one prediction, from which plan() predicts its time: operations of scalar code. Those
     * of vector code count a tenth to a quarter; measured, within a factor of 2. */
    double (*flops)(const struct estimator_setup *s, size_t k, size_t dims);
    bool carries; /* must be called for every smaller k of the prompt first */
    /* *y of query k, 1 <= k < points. ERR_NUMERIC, ERR_MEMORY. */
    enum err_code (*predict)(double *y, const struct estimator_setup *s,
                             const struct estimator_prompt *p, size_t k, void *state,
                             struct err *err);
};

size_t estimator_count(void);
const struct estimator *estimator_at(size_t i);
const struct estimator *estimator_find(const char *name);

/* Adds the rows "estimator" (an axis over the registered names) and every estimator's own keys. */
enum err_code estimator_schema(struct config_schema *out, struct err *err);
/* noise: see estimator_setup. */
void estimator_setup_read(struct estimator_setup *out, const struct config_point *point,
                          double noise);
/* The same by name, with every number 0 for the caller to set. */
void estimator_setup_named(struct estimator_setup *out, const char *name);

/* ERR_CONFIG, with the remedy, for an estimator that this build lacks. */
enum err_code estimator_check(const struct estimator *e, struct err *err);

size_t estimator_state(const struct estimator_setup *s, size_t points, size_t dims); /* bytes */

/* predictions [points]: entry k is that of query k, from k examples. state: estimator_state()
 * bytes. */
enum err_code estimator_curve(float *predictions, const struct estimator_setup *s,
                              const struct estimator_prompt *p, void *state, struct err *err);

#endif
