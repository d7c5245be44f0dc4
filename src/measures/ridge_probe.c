#include "measures/ridge_probe.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "measures/cross_product.h"
#include "ops/lapack.h"
#include "ops/vector_ops.h"

/* The system (S + alpha) A = R, with S [K, K] = V^T diag(values) V. Where features are fewer than
 * rows S = X^T X, R = X^T Y and A are the weights; otherwise S = X X^T, R = Y and weights = X^T A.
 */
struct ridge_fit {
    const struct ridge_probe_data *d;
    size_t rows, K;
    double *x, *y;           /* all rows, centred by the means of those for training */
    double *mean_x, *mean_y; /* [features], [targets] */
    double *V, *values;      /* [K, K], [K] */
    double *right;           /* [K, targets] V R */
    double *scaled;          /* [K, targets] */
    double *solution;        /* [K, targets] */
    double *weights;         /* [features, targets] */
    double *predicted;       /* [most rows of a part, targets] */
    double *memory;
};

static size_t rows_of(const struct ridge_probe_data *d) {
    return d->train + d->validation + d->test;
}

static size_t most_held_out(const struct ridge_probe_data *d) {
    return d->validation > d->test ? d->validation : d->test;
}

static double *part(double **at, size_t n) {
    double *from = *at;
    *at += n;
    return from;
}

static size_t ridge_numbers(const struct ridge_probe_data *d) {
    const size_t P = d->features, Q = d->targets, K = P < d->train ? P : d->train;
    return rows_of(d) * (P + Q) + P + Q + K * K + K + 3 * K * Q + P * Q + most_held_out(d) * Q;
}

size_t ridge_probe_bytes(const struct ridge_probe_data *d) {
    const size_t K = d->features < d->train ? d->features : d->train;
    return (ridge_numbers(d) + 2 * K * K + d->test * (d->targets + 2)) * sizeof(double);
}

static enum err_code ridge_create(struct ridge_fit *f, const struct ridge_probe_data *d,
                                  struct err *err) {
    const size_t P = d->features, Q = d->targets;
    *f = (struct ridge_fit){.d = d, .rows = rows_of(d), .K = P < d->train ? P : d->train};
    f->memory = calloc(ridge_numbers(d), sizeof *f->memory);
    if (!f->memory) return ERR(err, ERR_MEMORY, "no memory for %zu x %zu features", f->rows, P);
    double *at = f->memory;
    f->x = part(&at, f->rows * P);
    f->y = part(&at, f->rows * Q);
    f->mean_x = part(&at, P);
    f->mean_y = part(&at, Q);
    f->V = part(&at, f->K * f->K);
    f->values = part(&at, f->K);
    f->right = part(&at, f->K * Q);
    f->scaled = part(&at, f->K * Q);
    f->solution = part(&at, f->K * Q);
    f->weights = part(&at, P * Q);
    f->predicted = part(&at, most_held_out(d) * Q);
    return ERR_OK;
}

static void centre_all(struct ridge_fit *f) {
    const struct ridge_probe_data *d = f->d;
    memcpy(f->x, d->x, f->rows * d->features * sizeof *f->x);
    memcpy(f->y, d->y, f->rows * d->targets * sizeof *f->y);
    cross_product_mean(f->mean_x, f->x, d->train, d->features);
    cross_product_mean(f->mean_y, f->y, d->train, d->targets);
    cross_product_centre(f->x, f->mean_x, f->rows, d->features);
    cross_product_centre(f->y, f->mean_y, f->rows, d->targets);
}

static enum err_code decompose(struct ridge_fit *f, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t P = f->d->features, Q = f->d->targets, train = f->d->train;
    const bool primal = f->K == P;
    if (primal) {
        cross_product(f->V, f->x, f->x, train, P, P);
        cross_product(f->scaled, f->x, f->y, train, P, Q);
    } else {
        cross_product_rows(f->V, f->x, f->x, train, train, P);
        memcpy(f->scaled, f->y, train * Q * sizeof *f->scaled);
    }
    TRY(lapack_eigen(f->values, f->V, f->K, err));
    for (size_t k = 0; k < f->K; k++)
        cross_product(f->right + k * Q, f->V + k * f->K, f->scaled, f->K, 1, Q);
cleanup:
    return rc;
}

/* f->weights for a penalty. */
static void solve(struct ridge_fit *f, double penalty) {
    const size_t P = f->d->features, Q = f->d->targets, K = f->K;
    double *solution = K == P ? f->weights : f->solution;
    for (size_t k = 0; k < K; k++)
        for (size_t q = 0; q < Q; q++)
            f->scaled[k * Q + q] = f->right[k * Q + q] / (fmax(f->values[k], 0) + penalty);
    cross_product(solution, f->V, f->scaled, K, K, Q);
    if (K != P) cross_product(f->weights, f->x, f->solution, f->d->train, P, Q);
}

/* Squared error of the rows first .. first + n - 1, whose centred predictions are left in
 * f->predicted. */
static double predict_rows(struct ridge_fit *f, size_t first, size_t n) {
    const size_t P = f->d->features, Q = f->d->targets;
    double sum = 0;
    for (size_t r = 0; r < n; r++) {
        double *to = f->predicted + r * Q;
        cross_product(to, f->x + (first + r) * P, f->weights, P, 1, Q);
        for (size_t q = 0; q < Q; q++) {
            const double error = f->y[(first + r) * Q + q] - to[q];
            sum += error * error;
        }
    }
    return sum;
}

/* By row: squared distances from the mean of these rows; returns their sum. */
static double spread_of(double *spread, struct ridge_fit *f, size_t first, size_t n) {
    const size_t Q = f->d->targets;
    const double *y = f->y + first * Q;
    double sum = 0;
    for (size_t r = 0; spread && r < n; r++) spread[r] = 0;
    for (size_t q = 0; q < Q; q++) {
        double mean = 0;
        for (size_t r = 0; r < n; r++) mean += y[r * Q + q] / (double)n;
        for (size_t r = 0; r < n; r++) {
            const double square = (y[r * Q + q] - mean) * (y[r * Q + q] - mean);
            if (spread) spread[r] += square;
            sum += square;
        }
    }
    return sum;
}

static double r2_of(double error, double spread) {
    return spread > 0 ? 1 - error / spread : (double)NAN;
}

static double choose_penalty(double *error, struct ridge_fit *f) {
    const size_t P = f->d->features;
    double best = 0, size = 0;
    for (size_t i = 0; i < f->d->train * P; i++) size += f->x[i] * f->x[i] / (double)P;
    for (size_t i = 0; i < RIDGE_PROBE_PENALTIES; i++) {
        const double penalty = (size > 0 ? size : 1) * pow(10, -9 + 0.5 * (double)i);
        solve(f, penalty);
        const double found = predict_rows(f, f->d->train, f->d->validation);
        if (i > 0 && found >= *error) continue;
        *error = found;
        best = penalty;
    }
    return best;
}

static enum err_code measure_test(struct ridge_probe *out, struct ridge_fit *f, struct err *err) {
    const size_t Q = f->d->targets, n = f->d->test, first = f->d->train + f->d->validation;
    out->memory = calloc(n * (Q + 2), sizeof *out->memory);
    if (!out->memory) return ERR(err, ERR_MEMORY, "no memory for %zu predictions", n * Q);
    out->error = out->memory;
    out->spread = out->error + n;
    out->prediction = out->spread + n;
    solve(f, out->penalty);
    const double error = predict_rows(f, first, n);
    out->r2 = r2_of(error, spread_of(out->spread, f, first, n));
    for (size_t r = 0; r < n; r++)
        for (size_t q = 0; q < Q; q++) {
            const double gap = f->y[(first + r) * Q + q] - f->predicted[r * Q + q];
            out->error[r] += gap * gap;
            out->prediction[r * Q + q] = f->predicted[r * Q + q] + f->mean_y[q];
        }
    return ERR_OK;
}

enum err_code ridge_probe_run(struct ridge_probe *out, const struct ridge_probe_data *d,
                              struct err *err) {
    enum err_code rc = ERR_OK;
    struct ridge_fit f = {0};
    double error = 0;
    assert(d->train >= 2 && d->validation >= 2 && d->test >= 2);
    *out = (struct ridge_probe){0};
    TRY(ridge_create(&f, d, err));
    centre_all(&f);
    TRY(decompose(&f, err));
    out->penalty = choose_penalty(&error, &f);
    out->validation_r2 = r2_of(error, spread_of(NULL, &f, d->train, d->validation));
    TRY(measure_test(out, &f, err));
cleanup:
    free(f.memory);
    return rc;
}

void ridge_probe_release(struct ridge_probe *r) {
    free(r->memory);
    *r = (struct ridge_probe){0};
}
