#include "optim/lbfgs.h"

#include <math.h>
#include <string.h>

#include "ops/vector_ops.h"

enum { TRIALS = 24 };
static const double SUFFICIENT = 1e-4, CURVATURE = 0.9; /* c1 and c2 of the Wolfe conditions */

size_t lbfgs_saved(size_t n) { return (1 + 2 * LBFGS_PAIRS) * n; }

size_t lbfgs_floats(size_t n) { return lbfgs_saved(n) + 3 * n; }

void lbfgs_lay_out(struct lbfgs *b, float *memory, size_t n) {
    b->n = n;
    b->g = memory;
    b->s = b->g + n;
    b->y = b->s + LBFGS_PAIRS * n;
    b->direction = b->y + LBFGS_PAIRS * n;
    b->at_w = b->direction + n;
    b->at_g = b->at_w + n;
}

enum err_code lbfgs_begin(struct lbfgs *b, const struct lbfgs_function *f, const float *w,
                          struct err *err) {
    b->pairs = 0;
    return f->at(f->context, &b->loss, b->g, w, err);
}

static float *pair_row(float *rows, const struct lbfgs *b, int64_t pair) {
    return rows + (size_t)(pair % LBFGS_PAIRS) * b->n;
}

void lbfgs_direction(float *d, const struct lbfgs *b) {
    const size_t n = b->n;
    const int64_t oldest = b->pairs > LBFGS_PAIRS ? b->pairs - LBFGS_PAIRS : 0;
    double alpha[LBFGS_PAIRS];
    for (size_t i = 0; i < n; i++) d[i] = -b->g[i];
    for (int64_t k = b->pairs; k-- > oldest;) {
        const float *s = pair_row(b->s, b, k), *y = pair_row(b->y, b, k);
        alpha[k % LBFGS_PAIRS] = vector_dot(s, d, n) / vector_dot(s, y, n);
        vector_axpy(d, -(float)alpha[k % LBFGS_PAIRS], y, n);
    }
    if (b->pairs > 0) {
        const float *s = pair_row(b->s, b, b->pairs - 1), *y = pair_row(b->y, b, b->pairs - 1);
        vector_scale(d, (float)(vector_dot(s, y, n) / vector_dot(y, y, n)), n);
    }
    for (int64_t k = oldest; k < b->pairs; k++) {
        const float *s = pair_row(b->s, b, k), *y = pair_row(b->y, b, k);
        const double beta = vector_dot(y, d, n) / vector_dot(s, y, n);
        vector_axpy(d, (float)(alpha[k % LBFGS_PAIRS] - beta), s, n);
    }
}

/* Returns the slope of the loss along the chosen direction. If the pairs give no descent direction,
 * they are dropped and the direction is -g. */
static double choose_direction(struct lbfgs *b) {
    lbfgs_direction(b->direction, b);
    const double slope = vector_dot(b->direction, b->g, b->n);
    if (slope < 0 || b->pairs == 0) return slope;
    b->pairs = 0;
    lbfgs_direction(b->direction, b);
    return vector_dot(b->direction, b->g, b->n);
}

/* Sets at_w and at_g for a step of length t, and the loss there. */
static enum err_code evaluate_step(struct lbfgs *b, double *loss, const float *w, double t,
                                   const struct lbfgs_function *f, struct err *err) {
    memcpy(b->at_w, w, b->n * sizeof *w);
    vector_axpy(b->at_w, (float)t, b->direction, b->n);
    return f->at(f->context, loss, b->at_g, b->at_w, err);
}

/* *found is the step length of at_w and at_g; 0 if no step lowers the loss enough. After TRIALS
 * steps without the curvature condition, the longest that lowers the loss enough is taken. */
static enum err_code search_line(double *found, double *loss, struct lbfgs *b, const float *w,
                                 double slope, const struct lbfgs_function *f, struct err *err) {
    enum err_code rc = ERR_OK;
    double low = 0, high = HUGE_VAL;
    double t = b->pairs > 0 ? 1 : fmin(1, 1 / vector_norm(b->g, b->n));
    *found = 0;
    for (int i = 0; i < TRIALS; i++) {
        TRY(evaluate_step(b, loss, w, t, f, err));
        if (!(*loss <= b->loss + SUFFICIENT * t * slope)) {
            high = t;
        } else if (vector_dot(b->at_g, b->direction, b->n) < CURVATURE * slope) {
            low = t;
        } else {
            *found = t;
            return ERR_OK;
        }
        t = high < HUGE_VAL ? (low + high) / 2 : 2 * low;
    }
    if (low > 0) TRY(evaluate_step(b, loss, w, low, f, err));
    *found = low;
cleanup:
    return rc;
}

/* Stores the correction pair of the step, unless its curvature is lost in rounding. */
static void store_pair(struct lbfgs *b, const float *w) {
    float *s = pair_row(b->s, b, b->pairs), *y = pair_row(b->y, b, b->pairs);
    const size_t n = b->n;
    for (size_t i = 0; i < n; i++) s[i] = b->at_w[i] - w[i], y[i] = b->at_g[i] - b->g[i];
    const double curvature = vector_dot(s, y, n);
    if (curvature > 1e-10 * sqrt(vector_dot(s, s, n) * vector_dot(y, y, n))) b->pairs++;
}

enum err_code lbfgs_step(float *w, bool *moved, struct lbfgs *b, const struct lbfgs_function *f,
                         struct err *err) {
    enum err_code rc = ERR_OK;
    double t = 0, loss;
    const double slope = choose_direction(b);
    if (slope < 0) TRY(search_line(&t, &loss, b, w, slope, f, err));
    *moved = t > 0;
    if (!*moved) return ERR_OK;
    store_pair(b, w);
    memcpy(w, b->at_w, b->n * sizeof *w);
    memcpy(b->g, b->at_g, b->n * sizeof *b->g);
    b->loss = loss;
cleanup:
    return rc;
}
