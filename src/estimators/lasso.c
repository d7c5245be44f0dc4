/*
 * Lasso without intercept: w minimises |X w - y|^2 / (2 k) + alpha |w|_1 (this file works with k
 * times that), by cyclic coordinate descent. Friedman, Hastie, Tibshirani, "Regularization Paths
 * for Generalized Linear Models via Coordinate Descent", 2010. Baseline of Garg et al., NeurIPS
 * 2022, section 5.
 *
 * Stopping rule `gap`: starts from the solution for k - 1 examples and stops when the duality gap
 * is below 1e-8 of the objective; where descent is slow, an active-set search finishes. Where the
 * penalty is so small compared with |y|^2 that rounding errors alone exceed such a gap, the support
 * is found to the precision of double: the search runs again with refined solutions, and ignores
 * correlations that exceed the penalty by less than their rounding error.
 *
 * Stopping rule `as_published`: starts from 0 and stops after a sweep whose largest change is
 * below 1e-4 of the largest |w|, if the gap is below 1e-4 |y|^2 (the scikit-learn default behind
 * the published curves). For small alpha this stops well before the minimum.
 */
#include "estimators/lasso.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "estimators/estimator.h"
#include "ops/lapack.h"
#include "ops/vector_ops.h"

enum stop { GAP, AS_PUBLISHED };
enum { SWEEPS = 100000, SLOW = 50, CHECK_EVERY = 5, TURNS = 20, REFINEMENTS = 2 };

#define RELATIVE_GAP 1e-8
#define ROUNDING (16 * DBL_EPSILON) /* of a correlation, relative to the lengths of both */
#define DEPENDENT 1e-10 /* share of a squared length left by a combination of other columns */
#define PUBLISHED_TOLERANCE 1e-4

struct problem_state {
    size_t k, D, points;
    double penalty;   /* alpha k */
    double rounding;  /* 0, or ROUNDING |y|: the search is at the limit of double precision */
    double *x;        /* [D, points]: one row per coordinate */
    double *y;        /* [points] */
    double *w;        /* [D] */
    double *residual; /* [points]: y - X w */
    double *square;   /* [D]: of each column's norm */
    double *system;   /* [D, D], then three of [D] */
    size_t *used;     /* [D] */
};

static size_t lasso_state_bytes(const struct estimator_setup *s, size_t points, size_t dims) {
    (void)s;
    return sizeof(struct problem_state) +
           (points * (dims + 2) + dims * (dims + 5)) * sizeof(double) + dims * sizeof(size_t);
}

static void begin(struct problem_state *q, const struct estimator_prompt *p) {
    double *at = (double *)(q + 1);
    *q = (struct problem_state){.D = p->dims, .points = p->points, .x = at};
    q->y = q->x + q->D * q->points;
    q->residual = q->y + q->points;
    q->w = q->residual + q->points;
    q->square = q->w + q->D;
    q->system = q->square + q->D;
    q->used = (size_t *)(void *)(q->system + q->D * (q->D + 3));
    memset(q->w, 0, 2 * q->D * sizeof *q->w); /* and square */
}

static const double *column(const struct problem_state *q, size_t c) {
    return q->x + c * q->points;
}

static void take_example(struct problem_state *q, const struct estimator_prompt *p, size_t i) {
    for (size_t c = 0; c < q->D; c++) {
        const double x = (double)p->x[i * q->D + c];
        q->x[c * q->points + i] = x;
        q->square[c] += x * x;
    }
    q->y[i] = (double)p->y[i];
    q->k = i + 1;
}

static void find_residual(struct problem_state *q) {
    memcpy(q->residual, q->y, q->k * sizeof *q->y);
    for (size_t c = 0; c < q->D; c++)
        if (q->w[c] != 0)
            for (size_t i = 0; i < q->k; i++) q->residual[i] -= q->w[c] * column(q, c)[i];
}

/* One round over the coordinates; *change and *largest of |w|. */
static void sweep(struct problem_state *q, double *change, double *largest) {
    *change = *largest = 0;
    for (size_t c = 0; c < q->D; c++) {
        const double *x = column(q, c), old = q->w[c];
        if (q->square[c] == 0) continue;
        const double pull = vector_dot_real(x, q->residual, q->k) + old * q->square[c];
        q->w[c] = copysign(fmax(fabs(pull) - q->penalty, 0), pull) / q->square[c];
        const double step = q->w[c] - old;
        if (step != 0)
            for (size_t i = 0; i < q->k; i++) q->residual[i] -= step * x[i];
        *change = fmax(*change, fabs(step));
        *largest = fmax(*largest, fabs(q->w[c]));
    }
}

/* Objective minus that of the dual point: the residual, scaled down until it is feasible. */
static double duality_gap(const struct problem_state *q, double *objective) {
    double most = 0, l1 = 0;
    for (size_t c = 0; c < q->D; c++) {
        most = fmax(most, fabs(vector_dot_real(column(q, c), q->residual, q->k)));
        l1 += fabs(q->w[c]);
    }
    const double shrink = most > q->penalty ? q->penalty / most : 1;
    const double square = vector_dot_real(q->residual, q->residual, q->k);
    *objective = 0.5 * square + q->penalty * l1;
    return 0.5 * square * (1 + shrink * shrink) + q->penalty * l1 -
           shrink * vector_dot_real(q->residual, q->y, q->k);
}

double lasso_objective(const void *state) {
    const struct problem_state *q = state;
    double objective;
    (void)duality_gap(q, &objective);
    return objective / (double)q->k;
}

static bool is_closed(const struct problem_state *q) {
    double objective;
    const double gap = duality_gap(q, &objective);
    return gap <= RELATIVE_GAP * objective;
}

/* ---- active-set search: the nonzero coordinates are solved for together
 *
 * Starts from w = 0. The coordinate with the largest correlation with the residual joins the active
 * set, and w moves towards the minimum over the active set with fixed signs. A coordinate that
 * would change sign on the way is set to 0 and leaves the set. A new coordinate that is a
 * combination of the active ones is exchanged for one of them: along that direction X w is constant
 * and |w|_1 decreases. Lee et al., "Efficient Sparse Coding Algorithms", NIPS 2006 (feature-sign
 * search), with the step rule of Lawson and Hanson.
 */

struct search {
    size_t n;      /* size of the active set */
    size_t *used;  /* [D] */
    double *sign;  /* [D]: of the n */
    double *aim;   /* [D]: target of the n, or direction of the exchange */
    double *cross; /* [D]: products of the new coordinate with the others */
};

/* aim = G^-1 aim, with G the Gram matrix of the active coordinates. */
static enum err_code solve_used(struct problem_state *q, const struct search *s, struct err *err) {
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = i; j < s->n; j++)
            q->system[i * s->n + j] =
                vector_dot_real(column(q, s->used[i]), column(q, s->used[j]), q->k);
    return s->n == 0 ? ERR_OK : lapack_cholesky_solve(q->system, s->aim, s->n, 1, err);
}

/* Moves w to aim or, in an exchange, along aim, and stops where the first active coordinate reaches
 * 0; that coordinate is removed from the active set. Returns whether w reached aim. */
static bool move(struct problem_state *q, struct search *s, bool exchange) {
    double step = exchange ? (double)INFINITY : 1;
    size_t first = s->n;
    for (size_t i = 0; i < s->n; i++) {
        const double w = q->w[s->used[i]], way = exchange ? s->aim[i] : s->aim[i] - w;
        if (way * s->sign[i] >= 0 || -w / way >= step) continue;
        step = -w / way;
        first = i;
    }
    if (first == s->n && exchange) return true; /* only rounding asked for the exchange */
    for (size_t i = 0; i < s->n; i++) {
        double *w = &q->w[s->used[i]];
        *w += step * (exchange ? s->aim[i] : s->aim[i] - *w);
    }
    if (first == s->n) return true;
    q->w[s->used[first]] = 0;
    s->n--;
    for (size_t i = first; i < s->n; i++) {
        s->used[i] = s->used[i + 1];
        s->sign[i] = s->sign[i + 1];
    }
    return false;
}

/* If column c is nearly a combination of the active ones, exchanges it for one of them. */
static enum err_code exchange(struct problem_state *q, struct search *s, size_t c, double sign,
                              bool *done, struct err *err) {
    double left = q->square[c];
    *done = false;
    for (size_t i = 0; i < s->n; i++)
        s->aim[i] = s->cross[i] = vector_dot_real(column(q, s->used[i]), column(q, c), q->k);
    const enum err_code rc = solve_used(q, s, err);
    for (size_t i = 0; i < s->n; i++) left -= s->aim[i] * s->cross[i];
    if (rc != ERR_OK || left > DEPENDENT * q->square[c]) return rc;
    for (size_t i = 0; i < s->n; i++) s->aim[i] *= -sign;
    s->used[s->n] = c;
    s->sign[s->n] = sign;
    s->aim[s->n++] = sign;
    (void)move(q, s, true);
    *done = true;
    return ERR_OK;
}

/* The inactive coordinate whose correlation exceeds the penalty most, or D; *sign: its sign. */
static size_t newcomer(const struct problem_state *q, double *sign) {
    double most = q->penalty;
    size_t found = q->D;
    for (size_t c = 0; c < q->D; c++) {
        const double pull = q->w[c] != 0 ? 0 : vector_dot_real(column(q, c), q->residual, q->k);
        if (fabs(pull) <= most) continue;
        if (fabs(pull) <= q->penalty + q->rounding * sqrt(q->square[c])) continue;
        most = fabs(pull);
        found = c;
        *sign = copysign(1, pull);
    }
    return found;
}

/* Removes the rounding errors of the last solution: one Newton step from the residual of w. A step
 * that would change a sign is not made: its weight is 0 up to rounding. */
static enum err_code refine(struct problem_state *q, struct search *s, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t i = 0; i < s->n; i++)
        s->aim[i] =
            vector_dot_real(column(q, s->used[i]), q->residual, q->k) - q->penalty * s->sign[i];
    TRY(solve_used(q, s, err));
    for (size_t i = 0; i < s->n; i++)
        if ((q->w[s->used[i]] + s->aim[i]) * s->sign[i] > 0) q->w[s->used[i]] += s->aim[i];
    find_residual(q);
cleanup:
    return rc;
}

static enum err_code settle(struct problem_state *q, struct search *s, struct err *err) {
    enum err_code rc = ERR_OK;
    do {
        for (size_t i = 0; i < s->n; i++)
            s->aim[i] =
                vector_dot_real(column(q, s->used[i]), q->y, q->k) - q->penalty * s->sign[i];
        TRY(solve_used(q, s, err));
    } while (!move(q, s, false));
    find_residual(q);
    for (int i = 0; q->rounding > 0 && i < REFINEMENTS; i++) TRY(refine(q, s, err));
cleanup:
    return rc;
}

/* ERR_NUMERIC after too many turns: rounding errors can make it cycle. */
static enum err_code search(struct problem_state *q, struct err *err) {
    enum err_code rc = ERR_OK;
    double *at = q->system + q->D * q->D, sign = 0;
    struct search s = {.used = q->used, .sign = at, .aim = at + q->D, .cross = at + 2 * q->D};
    memset(q->w, 0, q->D * sizeof *q->w);
    find_residual(q);
    for (size_t turn = 0; turn < TURNS * (q->D + 1); turn++) {
        const size_t c = newcomer(q, &sign);
        bool exchanged;
        if (c == q->D || is_closed(q)) return ERR_OK;
        TRY(exchange(q, &s, c, sign, &exchanged, err));
        if (!exchanged) {
            s.used[s.n] = c;
            s.sign[s.n++] = sign;
        }
        TRY(settle(q, &s, err));
    }
    rc = ERR(err, ERR_NUMERIC,
             "lasso of %zu examples: the active-set search did not end after %zu turns", q->k,
             TURNS * (q->D + 1));
cleanup:
    return rc;
}

/* ---- the two stopping rules */

static enum err_code descend_to_gap(struct problem_state *q, struct err *err) {
    double change, largest;
    find_residual(q);
    for (size_t n = 1; n <= SLOW; n++) {
        sweep(q, &change, &largest);
        if (n % CHECK_EVERY == 0 && is_closed(q)) return ERR_OK;
    }
    if (search(q, err) == ERR_OK && is_closed(q)) return ERR_OK;
    q->rounding = ROUNDING * sqrt(vector_dot_real(q->y, q->y, q->k));
    const enum err_code rc = search(q, err);
    q->rounding = 0;
    if (rc == ERR_OK && !isfinite(lasso_objective(q)))
        return ERR(err, ERR_NUMERIC, "lasso of %zu examples: the objective is not finite", q->k);
    return rc;
}

/* After SWEEPS, the limit of the published code, w is used as it is. */
static void descend_as_published(struct problem_state *q) {
    double change, largest, objective;
    const double enough = PUBLISHED_TOLERANCE * vector_dot_real(q->y, q->y, q->k);
    memset(q->w, 0, q->D * sizeof *q->w);
    find_residual(q);
    for (size_t n = 1; n <= SWEEPS; n++) {
        sweep(q, &change, &largest);
        if (change <= PUBLISHED_TOLERANCE * largest && duality_gap(q, &objective) <= enough) return;
    }
}

static enum err_code lasso_predict(double *y, const struct estimator_setup *s,
                                   const struct estimator_prompt *p, size_t k, void *state,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    struct problem_state *q = state;
    if (k == 1) begin(q, p);
    take_example(q, p, k - 1);
    q->penalty = s->weight * (double)k;
    if (s->choice == AS_PUBLISHED)
        descend_as_published(q);
    else
        rc = descend_to_gap(q, err);
    *y = 0;
    for (size_t c = 0; c < q->D; c++) *y += q->w[c] * (double)p->query[k * q->D + c];
    return rc;
}

/* The mean over k up to 40, measured at alpha = 0.01 for 5 and 20 dimensions: most sweeps, of 4 k
 * dims operations each, are needed where k is about dims. */
static double lasso_flops(const struct estimator_setup *s, size_t k, size_t dims) {
    (void)s, (void)k;
    return 180 * (double)dims * (double)dims;
}

static void lasso_read(struct estimator_setup *s, const struct config_point *point) {
    s->weight = config_float(point, "lasso.alpha");
    s->choice = strcmp(config_text(point, "lasso.stop"), "gap") == 0 ? GAP : AS_PUBLISHED;
}

static const char *const STOPS[] = {"gap", "as_published", NULL};

static const struct config_key KEYS[] = {
    {.name = "lasso.alpha",
     .type = CONFIG_FLOAT,
     .flags = CONFIG_AXIS,
     .min = 1e-9,
     .max = 1e9,
     .def = "0.01",
     .when = "estimator=lasso",
     .unit = "",
     .meaning = "Penalty on |w|_1, added to half the mean squared error."},
    {.name = "lasso.stop",
     .type = CONFIG_NAME,
     .flags = CONFIG_AXIS,
     .def = "gap",
     .choices = STOPS,
     .when = "estimator=lasso",
     .unit = "",
     .meaning = "Whether to stop at a duality gap of 1e-8 of the objective, or as the published "
                "code does, which for small alpha is well before the minimum."},
};

extern const struct estimator estimator_lasso;
const struct estimator estimator_lasso = {
    .name = "lasso",
    .meaning = "Predicts w.x with w of least squared error plus a penalty on |w|_1.",
    .paper = "Garg et al. 2022",
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .read = lasso_read,
    .state = lasso_state_bytes,
    .flops = lasso_flops,
    .carries = true,
    .predict = lasso_predict,
};
