/*
 * reproduced.h - our numbers beside published ones: value, reference, tolerance, verdict.
 *
 *     reproduced_values.c  from the tables of a run
 *     reproduced_ports.c   from files of reference numbers, as `verify` compares them
 *     reproduced.c         verdicts, and their table
 */
#ifndef RUN_REPRODUCE_REPRODUCED_H
#define RUN_REPRODUCE_REPRODUCED_H

#include <stdbool.h>
#include <stddef.h>

#include "run/reproduce/reproduction.h"

/* A point may be REPRODUCED_ERRORS standard errors of the difference away from its reference, and
 * of all such points a share of REPRODUCED_BEYOND, or one, may be farther away than half of that:
 * errors have heavy tails, so a few points lie beyond what a normal distribution allows. */
enum { REPRODUCED_ERRORS = 6 };
static const double REPRODUCED_BEYOND = 0.02;

struct reproduced_point {
    char at[48];                        /* "21-40", or "" */
    double value, reference, tolerance; /* NaN: there is none */
    bool by_error;                      /* the tolerance has REPRODUCED_ERRORS standard errors */
    bool within_half;                   /* of those */
};

struct reproduced_line {
    char name[160];
    struct reproduced_point point; /* the worst one, where it stands for several */
    size_t points, passed;
    char remark[160];
};

struct reproduced {
    struct reproduced_line *lines;
    size_t n, capacity;
    size_t by_error, within_half; /* points */
};

enum reproduced_verdict { REPRODUCED_PASS, REPRODUCED_FAIL, REPRODUCED_NO_REFERENCE };

/* A point without reference: REPRODUCED_NO_REFERENCE; without a value FAIL. */
enum reproduced_verdict reproduced_judge(const struct reproduced_point *p);

/* Appends one line for each point, or where they are many one for all, with the worst. */
enum err_code reproduced_add(struct reproduced *r, const char *name,
                             const struct reproduced_point *points, size_t n, bool whole,
                             struct err *err);
/* Appends a line without any number, and why. */
enum err_code reproduced_add_remark(struct reproduced *r, const char *name, const char *remark,
                                    struct err *err);
void reproduced_release(struct reproduced *r); /* idempotent */

/* Table and counts; *failed: some line is FAIL, or the share is too small. */
enum err_code reproduced_print(struct text *out, bool *failed, const struct reproduced *r,
                               struct err *err);

/* The values of the scale from the run in DIR. whole: each point has a line. ERR_DATA for a stage
 * or column that the run does not have. */
enum err_code reproduced_from_run(struct reproduced *out, const struct reproduction *r,
                                  const struct reproduction_scale *s, const char *dir, bool whole,
                                  struct err *err);

/* The reference files of the scale below `folder` (NULL: none is known); a file that is not there
 * has no reference. */
enum err_code reproduced_from_files(struct reproduced *out, const struct reproduction *r,
                                    const struct reproduction_scale *s, const char *folder,
                                    struct err *err);

#endif
