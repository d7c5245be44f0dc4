/*
 * evaluated_method.h - the method that an evaluation runs: that of a finished fit, a control made
 * from one, or a method without a fit.
 */
#ifndef STAGES_EVALUATED_METHOD_H
#define STAGES_EVALUATED_METHOD_H

#include "base/rng.h"
#include "job/job.h"
#include "stages/fitted_method.h"

/* The split of every evaluation and estimate, so that all see the same prompts. */
#define EVALUATED_SPLIT "test"

struct evaluated_method {
    const struct job_input *fit;  /* NULL: a control without a fit, or plain */
    struct fitted_method fitted;  /* of `fit`; without a fit only its setup */
    const struct method *control; /* a control of the fit (random, mismatched); else NULL */
    char reading[96];             /* column `reading` */
};

/* params must outlive *m. Errors of fitted_method_open(). */
enum err_code evaluated_method_open(struct evaluated_method *m, const struct job_ctx *ctx,
                                    const struct params *params, struct err *err);
void evaluated_method_close(struct evaluated_method *m);

/* Column `method`. */
const char *evaluated_method_name(const struct evaluated_method *m);

/* Columns `fit_points` (0: there is no fit, as in earlier versions; JOB_NO_INT: the method reads no
 * points) and `repeat`. */
int64_t evaluated_method_fit_points(const struct evaluated_method *m);
int64_t evaluated_method_repeat(const struct evaluated_method *m);

/* The draws of a control. They do not depend on the fit, so that all fits are compared on the same
 * ones. */
struct rng evaluated_method_stream(const struct evaluated_method *m, uint64_t seed,
                                   const char *source);

#endif
