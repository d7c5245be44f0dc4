/*
 * lbfgs.h - limited-memory BFGS for a smooth, deterministic function of a few weights.
 *
 * The direction comes from the two-loop recursion (Nocedal and Wright, "Numerical Optimization",
 * 2nd edition, algorithm 7.4, H0 by equation 7.20).  The step along it meets the weak Wolfe
 * conditions and is found by doubling and bisection (Lewis and Overton 2013, algorithm 2.6).
 * Vectors are floats; sums are in double, in order, so a state that is saved between two steps
 * resumes with the same bits.
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
    float *direction, *at_w, *at_g; /* [n]: not part of the saved state */
};

/* Loss at w [n] and its gradient, overwritten. */
struct lbfgs_function {
    enum err_code (*at)(void *context, double *loss, float *gradient, const float *w,
                        struct err *err);
    void *context;
};

/* lbfgs_lay_out() divides memory [lbfgs_floats()]; the first lbfgs_saved() floats must be saved to
 * resume, together with `pairs` and `loss`. */
size_t lbfgs_saved(size_t n);
size_t lbfgs_floats(size_t n);
void lbfgs_lay_out(struct lbfgs *b, float *memory, size_t n);

/* Call it once, before the first step: sets `pairs` to 0 and computes loss and gradient at w. */
enum err_code lbfgs_begin(struct lbfgs *b, const struct lbfgs_function *f, const float *w,
                          struct err *err);

/* One step: w [n] and b move to a lower loss. *moved false: no lower loss was found and nothing has
 * changed; w is a minimum within the precision of floats. */
enum err_code lbfgs_step(float *w, bool *moved, struct lbfgs *b, const struct lbfgs_function *f,
                         struct err *err);

/* d [n] = -H g, with H given by the pairs. */
void lbfgs_direction(float *d, const struct lbfgs *b);

#endif
