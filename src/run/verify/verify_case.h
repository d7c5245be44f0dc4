/*
 * verify_case.h - one group methods/CASE of a reference file, and the method that it tests.
 */
#ifndef RUN_VERIFY_VERIFY_CASE_H
#define RUN_VERIFY_VERIFY_CASE_H

#include <stdbool.h>

#include "activations/basis_set.h"
#include "methods/method.h"
#include "run/verify/verify_report.h"
#include "store/fixture.h"

struct verify_method_case { /* one group of the file */
    const char *group, *method;
    const char *control; /* a control of that method; NULL: the method itself */
    int variant;
    int64_t layer;
    const void *keys; /* the method's struct NAME_keys; NULL: all 0 */
    size_t keys_bytes;
};

struct verify_case { /* a case with its inputs */
    struct verify_report *report;
    const struct fixture *file;
    const struct verify_method_case *c;
    struct method_setup setup;
    struct prompt_view prompts;
    size_t T0, weights, choices;
    float *w;
    struct basis_set basis; /* of each prompt, or one row: the mean */
};

/* Whether the file has methods/CASE/WHAT. */
bool verify_case_has(const struct verify_case *t, const char *what);

/* Reads methods/CASE/WHAT; ERR_DATA unless it holds n numbers. */
enum err_code verify_case_read(struct fixture_array *out, const struct verify_case *t,
                               const char *what, size_t n, struct err *err);

/* Adds the line of a comparison of got[n] with methods/CASE/WHAT. */
enum err_code verify_case_compare(const struct verify_case *t, const char *what, const float *got,
                                  size_t n, enum tolerance tolerance, struct err *err);

#endif
