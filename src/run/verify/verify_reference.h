/*
 * verify_reference.h - what a reference file gives: prompts to compute on, arrays to compare with.
 */
#ifndef RUN_VERIFY_VERIFY_REFERENCE_H
#define RUN_VERIFY_VERIFY_REFERENCE_H

#include "model/dims.h"
#include "run/verify/verify_report.h"
#include "sources/prompt_view.h"
#include "store/fixture.h"

struct verify_reference_prompts { /* free with verify_reference_release */
    struct fixture_array xs, ys;  /* [B, P, D], [B, P] */
    struct prompt_view view;      /* of both */
    size_t T0;                    /* the attribute `points` */
};

/* The datasets xs and ys. ERR_DATA unless they, `points` and the model fit each other. */
enum err_code verify_reference_prompts(struct verify_reference_prompts *out,
                                       const struct fixture *f, const char *xs, const char *ys,
                                       const struct model_dims *dims, struct err *err);
void verify_reference_release(struct verify_reference_prompts *p); /* idempotent */

/* A dataset of n numbers, whatever its shape. */
enum err_code verify_reference_floats(struct fixture_array *out, const struct fixture *f,
                                      const char *name, size_t n, struct err *err);

/* One line for got[n] against the dataset `name`, see verify_floats(). */
enum err_code verify_reference_compare(struct verify_report *r, const struct fixture *f,
                                       const char *part, const char *name, const float *got,
                                       size_t n, enum tolerance tolerance, struct err *err);

#endif
