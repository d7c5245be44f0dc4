/*
 * Ordinary least squares without intercept; among several minimisers, the one of least norm.
 *
 * By default the solution is updated with each example: an orthonormal basis of the examples so far
 * (Gram-Schmidt), and in it the triangular factor R of the examples with the rotated y (Givens
 * rotations), O(dims^2) per example. Where an example is nearly, but not exactly, a combination of
 * earlier ones, or R is badly conditioned, LAPACK solves that prompt from scratch for every k.
 * Golub and Van Loan, "Matrix Computations", 4th edition, sections 5.2 and 6.5. Published
 * counterpart: Garg et al., NeurIPS 2022, section 3 (a fresh minimum-norm solution for every k).
 */
#include "estimators/least_squares.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "ops/gram_schmidt.h"
#include "ops/lapack.h"
#include "ops/vector_ops.h"

/* ---- from scratch, by LAPACK */

static size_t most(size_t a, size_t b) { return a > b ? a : b; }

size_t least_squares_work(size_t points, size_t dims) {
    const size_t rows = points + dims; /* examples and penalty */
    return most(rows, dims) + rows * dims;
}

double least_squares_flops(size_t k, size_t dims) {
    const double rows = (double)k, columns = (double)dims;
    const double flops =
        4 * rows * columns * (rows < columns ? rows : columns) + 4 * rows * columns;
    return 2500 + flops / 4; /* small problems: LAPACK's calls take longer than their arithmetic */
}

/* w [dims], the first of work. */
static enum err_code solve_from_scratch(double *work, const struct estimator_prompt *p, size_t k,
                                        double lambda, struct err *err) {
    const size_t D = p->dims, rows = lambda > 0 ? k + D : k;
    double *b = work, *A = work + most(rows, D);
    size_t rank;
    memset(A, 0, rows * D * sizeof *A);
    memset(b, 0, most(rows, D) * sizeof *b);
    for (size_t i = 0; i < k * D; i++) A[i] = (double)p->x[i];
    for (size_t i = 0; i < k; i++) b[i] = (double)p->y[i];
    for (size_t i = k; i < rows; i++) A[i * D + (i - k)] = sqrt(lambda);
    return lapack_least_squares(A, b, &rank, rows, D, 1, (double)FLT_EPSILON * (double)most(k, D),
                                err);
}

static double dot(const double *w, const float *x, size_t dims) {
    double sum = 0;
    for (size_t c = 0; c < dims; c++) sum += w[c] * (double)x[c];
    return sum;
}

enum err_code least_squares_predict(double *y, double *work, const struct estimator_prompt *p,
                                    size_t k, double lambda, struct err *err) {
    const enum err_code rc = solve_from_scratch(work, p, k, lambda, err);
    if (rc == ERR_OK) *y = dot(work, p->query + k * p->dims, p->dims);
    return rc;
}

/* ---- updated */

/* An example is nearly dependent when less than DEPENDENT of its length lies outside a basis of
 * fewer than `dims` rows; R is badly conditioned when a diagonal entry is less than CONDITION of
 * another. Between these bounds the update keeps about ten digits. */
#define DEPENDENT 1e-3
#define CONDITION 1e-5

struct update {
    size_t rank;
    bool exact;    /* LAPACK for the rest of this prompt */
    double *basis; /* [dims, dims]: rank orthonormal rows */
    double *R;     /* [dims, dims + 1]: upper triangle, then the rotated y */
    double *row;   /* [dims + 1]: an example in the basis, then its y */
    double *rest;  /* [dims]: its part outside the basis */
    double *work;  /* of least_squares_predict */
};

/* Begins a prompt: the arrays follow the struct, R is 0. */
static void begin(struct update *u, size_t dims, bool exact) {
    *u = (struct update){.exact = exact, .basis = (double *)(u + 1)};
    u->R = u->basis + dims * dims;
    u->row = u->R + dims * (dims + 1);
    u->rest = u->row + dims + 1;
    u->work = u->rest + dims;
    memset(u->R, 0, dims * (dims + 1) * sizeof *u->R);
}

/* Adds the direction of `rest` to the basis. */
static void widen(struct update *u, double length, size_t dims) {
    double *q = u->basis + u->rank * dims;
    for (size_t c = 0; c < dims; c++) q[c] = u->rest[c] / length;
    u->row[u->rank++] = length;
}

/* Rotates row [dims + 1] into R (Givens), which leaves zeros in the row. */
static void rotate(struct update *u, size_t dims) {
    for (size_t i = 0; i < u->rank; i++) {
        double *R = u->R + i * (dims + 1);
        const double length = hypot(R[i], u->row[i]);
        if (length == 0) continue;
        const double c = R[i] / length, s = u->row[i] / length;
        for (size_t j = i; j <= dims; j++) {
            const double above = R[j], below = u->row[j];
            R[j] = c * above + s * below;
            u->row[j] = c * below - s * above;
        }
    }
}

static void take(struct update *u, const struct estimator_prompt *p, size_t i) {
    const size_t D = p->dims;
    memset(u->row, 0, D * sizeof *u->row);
    u->row[D] = (double)p->y[i];
    for (size_t c = 0; c < D; c++) u->rest[c] = (double)p->x[i * D + c];
    const double length = sqrt(vector_dot_real(u->rest, u->rest, D));
    const double left = gram_schmidt_rest(u->rest, u->row, u->basis, u->rank, D);
    if (u->rank < D && length > 0) {
        if (left < DEPENDENT * length)
            u->exact = true;
        else
            widen(u, left, D);
    }
    rotate(u, D);
}

/* rest = R^-1 of the last column; false where R is badly conditioned. */
static bool solve(struct update *u, size_t dims) {
    double least = (double)INFINITY, largest = 0;
    for (size_t i = u->rank; i-- > 0;) {
        const double *R = u->R + i * (dims + 1);
        double sum = R[dims];
        for (size_t j = i + 1; j < u->rank; j++) sum -= R[j] * u->rest[j];
        u->rest[i] = sum / R[i];
        least = fmin(least, fabs(R[i]));
        largest = fmax(largest, fabs(R[i]));
    }
    return u->rank > 0 && least > CONDITION * largest;
}

static double predict_updated(const struct update *u, const float *x, size_t dims) {
    double y = 0;
    for (size_t i = 0; i < u->rank; i++) y += u->rest[i] * dot(u->basis + i * dims, x, dims);
    return y;
}

/* ---- the estimator */

enum how { UPDATED, EXACT };

static enum err_code ols_predict(double *y, const struct estimator_setup *s,
                                 const struct estimator_prompt *p, size_t k, void *state,
                                 struct err *err) {
    struct update *u = state;
    const size_t D = p->dims;
    if (k == 1) begin(u, D, s->choice == EXACT);
    if (!u->exact) {
        take(u, p, k - 1);
        if (!u->exact && solve(u, D)) {
            *y = predict_updated(u, p->query + k * D, D);
            return ERR_OK;
        }
    }
    return least_squares_predict(y, u->work, p, k, 0, err);
}

static size_t ols_state_bytes(const struct estimator_setup *s, size_t points, size_t dims) {
    (void)s;
    return sizeof(struct update) +
           (dims * (2 * dims + 4) + 1 + least_squares_work(points, dims)) * sizeof(double);
}

static double ols_flops(const struct estimator_setup *s, size_t k, size_t dims) {
    return s->choice == EXACT ? least_squares_flops(k, dims)
                              : 400 + 3 * (double)dims * (double)dims;
}

static void ols_read(struct estimator_setup *s, const struct config_point *point) {
    s->choice = strcmp(config_text(point, "least_squares.solve"), "exact") == 0 ? EXACT : UPDATED;
}

static const char *const HOW[] = {"updated", "exact", NULL};

static const struct config_key KEYS[] = {
    {.name = "least_squares.solve",
     .type = CONFIG_NAME,
     .flags = CONFIG_AXIS,
     .def = "updated",
     .choices = HOW,
     .when = "estimator=least_squares",
     .unit = "",
     .meaning = "Whether to update the previous solution by one example, with LAPACK only where "
                "precision would be lost, or to call LAPACK for every number of examples."},
};

extern const struct estimator estimator_least_squares;
const struct estimator estimator_least_squares = {
    .name = "least_squares",
    .meaning = "Predicts w.x with the minimum-norm w among those of least squared error.",
    .paper = "",
    .keys = KEYS,
    .n_keys = sizeof KEYS / sizeof *KEYS,
    .read = ols_read,
    .state = ols_state_bytes,
    .flops = ols_flops,
    .carries = true,
    .predict = ols_predict,
};
