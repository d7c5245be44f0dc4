/*
 * Covariates with another covariance: x -> x S, S = U diag(e) U^T with |e|^2 = D, so E|x|^2 = D is
 * kept. U is a random rotation, the same for every prompt as in the published code; e_i is
 * proportional to 1/i (skewed), or to 1 for half of the dims and 0 for the others (half_subspace).
 * Garg et al., "What Can Transformers Learn In-Context?", NeurIPS 2022, section 4.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "ops/gram_schmidt.h"
#include "ops/vector_ops.h"
#include "sources/problems/shift.h"

/* S [D, D], U [D, D] (only while S is computed), one row [D]. */
static size_t spectrum_work(size_t dims) { return 2 * dims * dims + dims; }

/* Rows of normals [D, D] -> orthonormal rows. */
static void orthonormalise(double *u, size_t dims) {
    for (size_t r = 0; r < dims; r++) {
        double *row = u + r * dims;
        const double norm = gram_schmidt_rest(row, NULL, u, r, dims);
        for (size_t c = 0; c < dims; c++) row[c] /= norm;
    }
}

static void draw_rotation(double *u, size_t dims, const struct rng *stream) {
    float normals[PROBLEM_DIMS_MAX];
    assert(dims <= PROBLEM_DIMS_MAX);
    for (size_t r = 0; r < dims; r++) {
        rng_normals(normals, dims, stream, 0, r);
        for (size_t c = 0; c < dims; c++) u[r * dims + c] = (double)normals[c];
    }
    orthonormalise(u, dims);
}

/* S from orthonormal rows u and eigenvalues e [D], which are scaled to |e|^2 = D. */
static void compose(double *s, double *e, const double *u, size_t dims) {
    const double scale = sqrt((double)dims / vector_dot_real(e, e, dims));
    memset(s, 0, dims * dims * sizeof *s);
    for (size_t i = 0; i < dims; i++)
        for (size_t r = 0; r < dims; r++)
            for (size_t c = 0; c < dims; c++)
                s[r * dims + c] += scale * e[i] * u[i * dims + r] * u[i * dims + c];
}

static void spectrum_covariates(const struct shift_prompt *p) {
    const size_t D = p->problem->dims;
    const double *s = p->work;
    double *row = p->work + 2 * D * D;
    for (size_t i = 0; i < p->points; i++) {
        float *x = p->x + i * D;
        memset(row, 0, D * sizeof *row);
        for (size_t r = 0; r < D; r++)
            for (size_t c = 0; c < D; c++) row[c] += (double)x[r] * s[r * D + c];
        for (size_t c = 0; c < D; c++) x[c] = (float)row[c];
    }
}

static void prepare_skewed(double *work, size_t dims, const struct rng *stream) {
    double *u = work + dims * dims, *e = work + 2 * dims * dims;
    draw_rotation(u, dims, stream);
    for (size_t i = 0; i < dims; i++) e[i] = 1 / (double)(i + 1);
    compose(work, e, u, dims);
}

static void prepare_half(double *work, size_t dims, const struct rng *stream) {
    double *u = work + dims * dims, *e = work + 2 * dims * dims;
    draw_rotation(u, dims, stream);
    for (size_t i = 0; i < dims; i++) e[i] = i < dims / 2 ? 1 : 0;
    compose(work, e, u, dims);
}

extern const struct shift shift_skewed, shift_half_subspace;
const struct shift shift_skewed = {
    .name = "skewed",
    .meaning = "The covariance of x has eigenvalues proportional to 1/i^2, a random rotation, "
               "and the trace of I.",
    .paper = "Garg et al., NeurIPS 2022",
    .work = spectrum_work,
    .prepare = prepare_skewed,
    .covariates = spectrum_covariates,
};
const struct shift shift_half_subspace = {
    .name = "half_subspace",
    .meaning = "x lies in a random subspace of half the dimensions (rounded down), and E|x|^2 is "
               "preserved.",
    .paper = "Garg et al., NeurIPS 2022",
    .dims_least = 2,
    .work = spectrum_work,
    .prepare = prepare_half,
    .covariates = spectrum_covariates,
};
