/*
 * lbfgs.h - limited-memory BFGS on a smooth function of a few numbers: no noise, no learning rate.
 *
 * Direction by the two-loop recursion, Nocedal and Wright, Numerical Optimization, algorithm 7.4,
 * H0 by equation 7.20; a step along it that meets the weak Wolfe conditions, found by doubling and
 * halving (Lewis and Overton 2013, algorithm 2.6).  Vectors are floats, sums are in double, in
 * order: a state that is saved between two steps goes on with the same bits.
 */
#ifndef OPTIM_LBFGS_H
#define OPTIM_LBFGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { LBFGS_PAIRS = 10 };

struct lbfgs {
    size_t n;
    int64_t pairs;                  /* made so far; pair i is row i % LBFGS_PAIRS of s and y */
    double loss;                    /* at w */
    float *g, *s, *y;               /* [n] at w; [LBFGS_PAIRS, n] changes of w and of g */
    float *direction, *at_w, *at_g; /* [n]: need not be saved */
};

/* Loss at w [n] and its gradient, overwritten. */
struct lbfgs_function {
    enum err_code (*at)(void *context, double *loss, float *gradient, const float *w,
                        struct err *err);
    void *context;
};

/* Floats of what must be saved, and of all; lay_out() takes the first of memory [lbfgs_floats]. */
size_t lbfgs_saved(size_t n);
size_t lbfgs_floats(size_t n);
void lbfgs_lay_out(struct lbfgs *b, float *memory, size_t n);

/* Once, before the first step: no pairs, loss and gradient at w. */
enum err_code lbfgs_begin(struct lbfgs *b, const struct lbfgs_function *f, const float *w,
                          struct err *err);

/* w [n] and b move to a lower loss. *moved false: none was found, nothing has changed; w is a
 * minimum as far as floats can tell. */
enum err_code lbfgs_step(float *w, bool *moved, struct lbfgs *b, const struct lbfgs_function *f,
                         struct err *err);

/* d [n] = -H g, with H from the pairs. */
void lbfgs_direction(float *d, const struct lbfgs *b);

#endif
