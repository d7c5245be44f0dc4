#include "measures/cloud.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measures/cross_product.h"
#include "ops/lapack.h"
#include "ops/vector_ops.h"

static size_t cloud_numbers(size_t n, size_t E) { return n * E + 2 * E * E + 2 * E + n; }

size_t cloud_bytes(size_t n, size_t E) {
    return (cloud_numbers(n, E) + E * E) * sizeof(double); /* and the workspace of LAPACK */
}

enum err_code cloud_create(struct cloud *c, size_t n, size_t E, struct err *err) {
    assert(n >= 2 && E >= 1);
    *c = (struct cloud){.n = n, .E = E, .memory = calloc(cloud_numbers(n, E), sizeof(double))};
    if (!c->memory) return ERR(err, ERR_MEMORY, "no memory for %zu activations of %zu", n, E);
    c->x = c->memory;
    c->covariance = c->x + n * E;
    c->axes = c->covariance + E * E;
    c->mean = c->axes + E * E;
    c->variances = c->mean + E;
    c->leading = c->variances + E;
    return ERR_OK;
}

void cloud_destroy(struct cloud *c) {
    free(c->memory);
    *c = (struct cloud){0};
}

/* A [E, E] symmetric becomes its eigenvectors, values [E] its eigenvalues, the largest first. */
static enum err_code eigen_descending(double *values, double *A, size_t E, struct err *err) {
    const enum err_code rc = lapack_eigen(values, A, E, err);
    for (size_t i = 0; rc == ERR_OK && i < E / 2; i++) {
        const size_t j = E - 1 - i;
        const double value = values[i];
        values[i] = values[j];
        values[j] = value;
        for (size_t e = 0; e < E; e++) {
            const double a = A[i * E + e];
            A[i * E + e] = A[j * E + e];
            A[j * E + e] = a;
        }
    }
    return rc;
}

/* The points projected on the first eigenvector of their second moments. Uses c->axes. */
static enum err_code find_leading(struct cloud *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = c->n, E = c->E;
    double sum = 0;
    cross_product(c->axes, c->x, c->x, n, E, E);
    TRY(eigen_descending(c->variances, c->axes, E, err));
    cross_product_rows(c->leading, c->x, c->axes, n, 1, E);
    for (size_t i = 0; i < n; i++) sum += c->leading[i];
    const double norm = sqrt(vector_dot_real(c->leading, c->leading, n));
    const double scale = (sum < 0 ? -1 : 1) * sqrt((double)n) / norm;
    for (size_t i = 0; norm > 0 && i < n; i++) c->leading[i] *= scale;
cleanup:
    return rc;
}

static enum err_code find_axes(struct cloud *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t E = c->E;
    cross_product_mean(c->mean, c->x, c->n, E);
    cross_product_centre(c->x, c->mean, c->n, E);
    cross_product(c->covariance, c->x, c->x, c->n, E, E);
    for (size_t i = 0; i < E * E; i++) c->covariance[i] /= (double)(c->n - 1);
    memcpy(c->axes, c->covariance, E * E * sizeof *c->axes);
    TRY(eigen_descending(c->variances, c->axes, E, err));
    for (size_t i = 0; i < E; i++) c->variances[i] = fmax(c->variances[i], 0);
cleanup:
    return rc;
}

enum err_code cloud_measure(struct cloud *c, struct err *err) {
    const enum err_code rc = find_leading(c, err);
    return rc == ERR_OK ? find_axes(c, err) : rc;
}

double cloud_explained(const struct cloud *c, size_t axes) {
    double some = 0, all = 0;
    for (size_t i = 0; i < c->E; i++) {
        all += c->variances[i];
        if (i < axes) some += c->variances[i];
    }
    return some / all;
}

size_t cloud_rank(const struct cloud *c) {
    size_t rank = 0;
    while (rank < c->E && c->variances[rank] > 1e-12 * c->variances[0]) rank++;
    return rank;
}
