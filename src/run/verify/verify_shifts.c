#include "run/verify/verify_shifts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ops/lapack.h"
#include "sources/problems/shift.h"

/* ---- orthogonal queries */

/* context [B, D, D] -> out [B, D, D]; x: one context that may be overwritten. */
static void transform(float *out, float *x, double *work, const float *context, size_t B,
                      size_t D) {
    const struct shift_setup setup = {.shift = shift_find("orthogonal")};
    const struct problem_setup problem = {.problem = problem_find("linear"), .dims = D, .scale = 1};
    for (size_t b = 0; b < B; b++) {
        memcpy(x, context + b * D * D, D * D * sizeof *x);
        const struct shift_prompt p = {.setup = &setup,
                                       .problem = &problem,
                                       .points = D,
                                       .x = x,
                                       .query_x = out + b * D * D,
                                       .work = work};
        setup.shift->covariates(&p);
    }
}

enum err_code verify_shift_queries(struct verify_report *r, const struct fixture *f,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    struct fixture_array context = {0}, want = {0};
    float *got = NULL, *x = NULL;
    double *work = NULL;
    TRY(fixture_floats(&context, f, "shift/orthogonal_context", 3, err));
    TRY(fixture_floats(&want, f, "shift/orthogonal_query", 3, err));
    const size_t B = context.shape[0], D = context.shape[1];
    CHECK(context.n > 0 && context.shape[2] == D && D <= PROBLEM_DIMS_MAX && want.n == context.n,
          ERR_DATA, "%s: shift: contexts and queries are not both [B, D, D]", fixture_path(f));
    got = calloc(want.n, sizeof *got);
    x = calloc(D * D, sizeof *x);
    work = calloc(shift_find("orthogonal")->work(D), sizeof *work);
    CHECK(got && x && work, ERR_MEMORY, "no memory for %zu queries", B * D);
    transform(got, x, work, context.floats, B, D);
    TRY(verify_floats(r, "shift", "shift/orthogonal_query", got, want.floats, want.n,
                      TOLERANCE_SHIFT, err));
cleanup:
    free(work);
    free(x);
    free(got);
    fixture_array_release(&want);
    fixture_array_release(&context);
    return rc;
}

/* ---- the skewed transform, whose rotation is random: its eigenvalues, symmetry and norm */

/* Of symmetric s [D, D], overwritten; the largest first. scratch [D]. */
static enum err_code eigenvalues(float *out, double *s, double *scratch, size_t D,
                                 struct err *err) {
    const enum err_code rc = lapack_eigen(scratch, s, D, err);
    for (size_t i = 0; rc == ERR_OK && i < D; i++) out[i] = (float)scratch[D - 1 - i];
    return rc;
}

struct spectrum {
    size_t D;
    double *work, *s;           /* of the shift; [D, D] */
    float *ours, *theirs, *law; /* [D] */
};

static void spectrum_release(struct spectrum *a) {
    free(a->work), free(a->s), free(a->ours), free(a->theirs), free(a->law);
}

static enum err_code spectrum_create(struct spectrum *a, size_t D, struct err *err) {
    const size_t work = shift_find("skewed")->work(D);
    *a = (struct spectrum){D,
                           calloc(work, sizeof(double)),
                           calloc(D * D, sizeof(double)),
                           calloc(D, sizeof(float)),
                           calloc(D, sizeof(float)),
                           calloc(D, sizeof(float))};
    if (a->work && a->s && a->ours && a->theirs && a->law) return ERR_OK;
    return ERR(err, ERR_MEMORY, "no memory for matrices of %zu dims", D);
}

/* The transform in the file, and ours for the same dims: eigenvalues, symmetry, |S|^2 = D. */
static enum err_code compare_spectrum(struct verify_report *r, struct spectrum *a,
                                      const double *theirs, const float *unscaled,
                                      struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t D = a->D;
    const struct rng stream = rng_stream(1, "verify/skewed");
    double square = 0, skew = 0;
    shift_find("skewed")->prepare(a->work, D, &stream);
    for (size_t i = 0; i < D * D; i++) {
        const double gap = fabs(a->work[i] - a->work[i % D * D + i / D]);
        square += a->work[i] * a->work[i];
        skew = gap > skew ? gap : skew;
    }
    TRY(verify_error(r, "shift", "shift/skewed_transform: |S|^2 - D", fabs(square - (double)D),
                     tolerance_bound(TOLERANCE_SHIFT_NORM, 1), err));
    TRY(verify_error(r, "shift", "shift/skewed_transform: S - S^T", skew,
                     tolerance_bound(TOLERANCE_SHIFT_SYMMETRY, 1), err));
    memcpy(a->s, a->work, D * D * sizeof *a->s);
    TRY(eigenvalues(a->ours, a->s, a->work, D, err));
    memcpy(a->s, theirs, D * D * sizeof *a->s);
    TRY(eigenvalues(a->theirs, a->s, a->work, D, err));
    TRY(verify_floats(r, "shift", "shift/skewed_transform: eigenvalues", a->ours, a->theirs, D,
                      TOLERANCE_SHIFT, err));
    for (size_t i = 0; i < D; i++) a->law[i] = a->ours[i] / a->ours[0] * unscaled[0];
    TRY(verify_floats(r, "shift", "shift/skewed_eigenvalues", a->law, unscaled, D, TOLERANCE_SHIFT,
                      err));
cleanup:
    return rc;
}

enum err_code verify_shift_spectrum(struct verify_report *r, const struct fixture *f,
                                    struct err *err) {
    enum err_code rc = ERR_OK;
    struct fixture_array unscaled = {0}, theirs = {0};
    struct spectrum a = {0};
    TRY(fixture_floats(&unscaled, f, "shift/skewed_eigenvalues", 1, err));
    TRY(fixture_doubles(&theirs, f, "shift/skewed_transform", 2, err));
    const size_t D = unscaled.n;
    CHECK(D > 0 && D <= PROBLEM_DIMS_MAX && theirs.shape[0] == D && theirs.shape[1] == D, ERR_DATA,
          "%s: shift: expected D eigenvalues and a transform [D, D]", fixture_path(f));
    TRY(spectrum_create(&a, D, err));
    TRY(compare_spectrum(r, &a, theirs.doubles, unscaled.floats, err));
cleanup:
    spectrum_release(&a);
    fixture_array_release(&theirs);
    fixture_array_release(&unscaled);
    return rc;
}
