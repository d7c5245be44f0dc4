/*
 * problem.h - a function class that is learned in context, and the registry of them.
 *
 * To add a problem, write one file that defines `const struct problem problem_NAME` (how a function
 * is drawn, its value at a point, E[y^2]) and add one line to the registry in problem.c. Formulas
 * and sizes: Garg et al., "What Can Transformers Learn In-Context?", NeurIPS 2022, and
 * docs/methods.md.
 */
#ifndef SOURCES_PROBLEMS_PROBLEM_H
#define SOURCES_PROBLEMS_PROBLEM_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/rng.h"
#include "config/config.h"

enum { PROBLEM_DIMS_MAX = 1000, PROBLEM_KEYS_BYTES = 128 }; /* room for the largest keys struct */
enum problem_loss { PROBLEM_SQUARED, PROBLEM_CLASSIFICATION };

struct problem;

struct problem_setup { /* a problem with its numbers, from problem_setup_read */
    const struct problem *problem;
    size_t dims;      /* coordinates of x */
    size_t size;      /* nonzero weights, hidden units or depth (size_key); else 0 */
    double scale;     /* multiplies y; 1 in classification */
    double noise;     /* standard deviation added to y after scale */
    bool renormalise; /* noisy linear: ys of a batch times sqrt(dims) / their unbiased std */
    alignas(max_align_t) unsigned char keys[PROBLEM_KEYS_BYTES]; /* see PROBLEM_KEYS */
};

/* A problem's own keys are its own struct NAME_keys, which it fills once, in read:
 *     struct wave_keys { double frequency, phase; };
 *     PROBLEM_KEYS(wave)
 * defines wave_set_keys(setup, keys), and wave_keys(setup), which gives them back. Before anything
 * is set, all of them are 0. */
#define PROBLEM_KEYS(name)                                                                         \
    _Static_assert(sizeof(struct name##_keys) <= PROBLEM_KEYS_BYTES, "raise PROBLEM_KEYS_BYTES");  \
    static inline struct name##_keys name##_keys(const struct problem_setup *s) {                  \
        struct name##_keys keys;                                                                   \
        memcpy(&keys, s->keys, sizeof keys);                                                       \
        return keys;                                                                               \
    }                                                                                              \
    static inline void name##_set_keys(struct problem_setup *s, struct name##_keys keys) {         \
        memcpy(s->keys, &keys, sizeof keys);                                                       \
    }

struct problem {
    const char *name, *meaning;
    enum problem_loss loss;
    const struct config_key *keys; /* its own rows "source.KEY", valid when "source.problem=NAME" */
    size_t n_keys;
    const char *size_key; /* the key that fills setup.size, or NULL */
    /* Its keys but size_key, from a point that has them; NULL: there are none. */
    void (*read)(struct problem_setup *s, const struct config_point *point);

    /* Floats that describe one function. */
    size_t (*parameters)(const struct problem_setup *s);
    /* Draws function `sample`. Only the first `active` coordinates of x are nonzero (curriculum).
     */
    void (*draw)(float *parameters, const struct problem_setup *s, const struct rng *stream,
                 uint64_t sample, size_t active);
    /* y[i] = f(x[i]), noiseless, before scale; x [points, dims]. */
    void (*evaluate)(float *y, const float *parameters, const struct problem_setup *s,
                     const float *x, size_t points);
    /* E[y^2] over functions and x ~ N(0, I) of `active` coordinates, before scale and noise. */
    double (*variance)(const struct problem_setup *s, size_t active);
};

size_t problem_count(void);
const struct problem *problem_at(size_t i);
const struct problem *problem_find(const char *name);

/* Rows "source.problem", "source.dims", "source.scale" and every problem's own. */
enum err_code problem_schema(struct config_schema *out, struct err *err);
void problem_setup_read(struct problem_setup *out, const struct config_point *point);
/* E[y^2] of prompts after scale, noise and renormalisation: with all dims active, or the first
 * `active`. */
double problem_variance(const struct problem_setup *s);
double problem_variance_active(const struct problem_setup *s, size_t active);

#endif
