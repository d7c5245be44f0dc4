#include "measures/alignment.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "measures/cross_product.h"
#include "ops/lapack.h"
#include "ops/vector_ops.h"
#include "stats/distances.h"

struct alignment_room {         /* workspace */
    double *A, *B, *M, *U, *Vt; /* [E, E] each */
    double *values;             /* [E] */
    double *memory;
};

static size_t room_numbers(size_t E) { return 5 * E * E + E; }

size_t alignment_bytes(size_t E) { return (room_numbers(E) + 4 * E * E) * sizeof(double); }

static enum err_code room_create(struct alignment_room *r, size_t E, struct err *err) {
    r->memory = calloc(room_numbers(E), sizeof *r->memory);
    if (!r->memory) return ERR(err, ERR_MEMORY, "no memory to compare activations of width %zu", E);
    r->A = r->memory;
    r->B = r->A + E * E;
    r->M = r->B + E * E;
    r->U = r->M + E * E;
    r->Vt = r->U + E * E;
    r->values = r->Vt + E * E;
    return ERR_OK;
}

/* Row i: axis i times the standard deviation along it, so that the covariance is out^T out. */
static void scale_axes(double *out, const struct cloud *c) {
    for (size_t i = 0; i < c->E; i++) {
        const double deviation = sqrt(c->variances[i]);
        for (size_t e = 0; e < c->E; e++) out[i * c->E + e] = deviation * c->axes[i * c->E + e];
    }
}

/* tr (C C')^(1/2) is the sum of the singular values of A B^T, where C = A^T A and C' = B^T B. It
 * needs no square root of a product of covariances, whose small eigenvalues would be lost. */
static enum err_code find_frechet(struct alignment *out, struct alignment_room *r,
                                  const struct cloud *a, const struct cloud *b, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t E = a->E;
    double traces = 0, root = 0;
    scale_axes(r->A, a);
    scale_axes(r->B, b);
    cross_product_rows(r->M, r->A, r->B, E, E, E);
    TRY(lapack_svd(r->U, r->values, r->Vt, r->M, E, E, err));
    out->mean_shift = 0;
    for (size_t e = 0; e < E; e++) {
        const double shift = a->mean[e] - b->mean[e];
        out->mean_shift += shift * shift;
        traces += a->variances[e] + b->variances[e];
        root += r->values[e];
    }
    out->frechet = out->mean_shift + fmax(traces - 2 * root, 0);
cleanup:
    return rc;
}

static double squares(const double *x, size_t n) { return vector_dot_real(x, x, n); }

static void find_cka(struct alignment *out, struct alignment_room *r, const struct cloud *a,
                     const struct cloud *b) {
    const size_t E = a->E;
    const double divisor = (double)(a->n - 1);
    cross_product(r->M, a->x, b->x, a->n, E, E);
    out->cka = squares(r->M, E * E) / (divisor * divisor) /
               sqrt(squares(a->covariance, E * E) * squares(b->covariance, E * E));
}

static enum err_code find_angles(struct alignment *out, double *cosines, struct alignment_room *r,
                                 const struct cloud *a, const struct cloud *b, size_t axes,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t most = cloud_rank(a) < cloud_rank(b) ? cloud_rank(a) : cloud_rank(b);
    const size_t n = axes < most ? axes : most;
    out->overlap = out->angle = (double)NAN;
    for (size_t i = 0; i < axes; i++) cosines[i] = (double)NAN;
    if (n == 0) return ERR_OK;
    cross_product_rows(r->M, a->axes, b->axes, n, n, a->E);
    TRY(lapack_svd(r->U, r->values, r->Vt, r->M, n, n, err));
    out->overlap = squares(r->values, n) / (double)n;
    for (size_t i = 0; i < n; i++) cosines[i] = fmin(r->values[i], 1);
    out->angle = acos(cosines[n - 1]) * 180 / acos(-1);
cleanup:
    return rc;
}

enum err_code alignment_of(struct alignment *out, double *cosines, const struct cloud *a,
                           const struct cloud *b, size_t axes, struct err *err) {
    enum err_code rc = ERR_OK;
    struct alignment_room r = {0};
    struct distances d;
    assert(a->n == b->n && a->E == b->E && axes <= a->E);
    TRY(room_create(&r, a->E, err));
    TRY(distances_of(&d, a->leading, a->n, b->leading, b->n, err));
    out->wasserstein = d.wasserstein;
    out->kolmogorov_smirnov = d.kolmogorov_smirnov;
    TRY(find_frechet(out, &r, a, b, err));
    find_cka(out, &r, a, b);
    TRY(find_angles(out, cosines, &r, a, b, axes, err));
cleanup:
    free(r.memory);
    return rc;
}
