/*
 * Queries from a distribution other than that of the context. Garg et al., "What Can Transformers
 * Learn In-Context?", NeurIPS 2022, section 4.
 */
#include <math.h>
#include <string.h>

#include "ops/gram_schmidt.h"
#include "sources/problems/shift.h"

static float *row_of(float *x, const struct shift_prompt *p, size_t i) {
    return x + i * p->problem->dims;
}

/* Orthonormal rows [D, D], and one more row [D]. */
static size_t orthogonal_work(size_t dims) { return dims * dims + dims; }

/* Query k is x_k minus its projection on x_0 .. x_{k-1}, rescaled to the norm of x_k; 0 where
 * nothing is left (repeated inputs). */
static void orthogonal_covariates(const struct shift_prompt *p) {
    const size_t D = p->problem->dims, n = p->points < D ? p->points : D;
    double *q = p->work, *row = p->work + D * D;
    size_t kept = 0;
    for (size_t k = 0; k < n; k++) {
        const float *x = row_of(p->x, p, k);
        double square = 0;
        for (size_t c = 0; c < D; c++) row[c] = (double)x[c], square += row[c] * row[c];
        const double left = gram_schmidt_rest(row, NULL, q, kept, D), norm = sqrt(square);
        const bool zero = left <= 1e-9 * norm;
        for (size_t c = 0; c < D; c++) {
            row_of(p->query_x, p, k)[c] = zero ? 0 : (float)(row[c] * norm / left);
            if (!zero) q[kept * D + c] = row[c] / left;
        }
        kept += !zero;
    }
    for (size_t k = n; k < p->points; k++) /* dropped by shift_points() */
        memset(row_of(p->query_x, p, k), 0, D * sizeof *p->query_x);
}

/* Context: |x| with one random sign per coordinate and prompt. Queries: x as drawn. */
static void quadrants_covariates(const struct shift_prompt *p) {
    const size_t D = p->problem->dims;
    memcpy(p->query_x, p->x, p->points * D * sizeof *p->x);
    for (size_t c = 0; c < D; c++) {
        const bool negative = rng_below(2, &p->stream, p->sample, 0, c) == 1;
        for (size_t i = 0; i < p->points; i++) {
            float *x = row_of(p->x, p, i) + c;
            *x = negative ? -fabsf(*x) : fabsf(*x);
        }
    }
}

/* Query k repeats one of x_0 .. x_{k-1}, uniformly; query 0 is x_0. */
static void overlapping_covariates(const struct shift_prompt *p) {
    const size_t D = p->problem->dims;
    for (size_t k = 0; k < p->points; k++) {
        const size_t from = k > 0 ? (size_t)rng_below(k, &p->stream, p->sample, k, 0) : 0;
        memcpy(row_of(p->query_x, p, k), row_of(p->x, p, from), D * sizeof *p->x);
    }
}

extern const struct shift shift_orthogonal, shift_random_quadrants, shift_overlapping;
const struct shift shift_orthogonal = {
    .name = "orthogonal",
    .meaning =
        "Queries are orthogonal to every x of the context, with unchanged norm; k < dims only.",
    .paper = "Garg et al., NeurIPS 2022",
    .apart = true,
    .within_dims = true,
    .work = orthogonal_work,
    .covariates = orthogonal_covariates,
};
const struct shift shift_random_quadrants = {
    .name = "random_quadrants",
    .meaning = "All x of a context lie in one random quadrant, queries anywhere.",
    .paper = "Garg et al., NeurIPS 2022",
    .apart = true,
    .covariates = quadrants_covariates,
};
const struct shift shift_overlapping = {
    .name = "overlapping",
    .meaning = "Each query repeats an x of the context, drawn at random.",
    .paper = "Garg et al., NeurIPS 2022",
    .apart = true,
    .covariates = overlapping_covariates,
};
