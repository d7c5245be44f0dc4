/*
 * verify_report.h - the lines of a comparison with reference numbers, and the outcome.
 *
 * Every line belongs to a part ("core", "grad", "ltv", ...: the names of --require) and holds what
 * was compared, the largest error, the bound, and ok, DIFFERS or skipped. Tolerances:
 * tolerances.h.
 */
#ifndef RUN_VERIFY_VERIFY_REPORT_H
#define RUN_VERIFY_VERIFY_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/text.h"
#include "run/verify/tolerances.h"

enum verify_status { VERIFY_OK, VERIFY_DIFFERS, VERIFY_SKIPPED };

struct verify_line {
    const char *part; /* static */
    char name[96];
    double error, tolerance; /* largest absolute error; NaN while skipped */
    enum verify_status status;
    char reason[160]; /* why it was skipped, or a remark */
};

struct verify_report {
    enum arithmetic arithmetic; /* of the products of the model: what the bounds are for */
    struct verify_line *lines;
    size_t n, capacity;
};

void verify_report_release(struct verify_report *r);

/* One line for got[n] against want[n]; a NaN on either side is an infinite error. */
enum err_code verify_floats(struct verify_report *r, const char *part, const char *name,
                            const float *got, const float *want, size_t n, enum tolerance tolerance,
                            struct err *err);

/* One line with an error and its bound in f32 (tolerance_bound), found elsewhere. */
enum err_code verify_error(struct verify_report *r, const char *part, const char *name,
                           double error, double tolerance, struct err *err);
/* The bound of a quantity of size 1 in the arithmetic of the report. */
double verify_bound(const struct verify_report *r, enum tolerance tolerance);
/* One line with a number of cases that differ, of which none may; remark: "" or about the first. */
enum err_code verify_count(struct verify_report *r, const char *part, const char *name,
                           size_t different, const char *remark, struct err *err);
enum err_code verify_skip(struct verify_report *r, const char *part, const char *name,
                          const char *reason, struct err *err);

/* Largest |got - want|, infinite where either is not a number. */
double verify_max_error(const float *got, const float *want, size_t n);

/* `require`: comma-separated parts, or NULL. A required part with no compared line, or with a
 * skipped one, gets a DIFFERS line of its own. An unknown name is ERR_USAGE. */
enum err_code verify_require(struct verify_report *r, const char *require, const char *const *known,
                             struct err *err);

void verify_print(struct text *out, const struct verify_report *r); /* one line each */
enum err_code verify_print_json(struct text *out, const struct verify_report *r, const char *path,
                                struct err *err);

/* ERR_OK, ERR_DIFFERS, or ERR_DATA when nothing was compared. */
enum err_code verify_outcome(const struct verify_report *r, const char *path, struct err *err);

#endif
