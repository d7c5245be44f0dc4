/*
 * verify_file.h - compares this program with the reference numbers of an HDF5 file (`verify FILE`).
 *
 * The groups of a file determine its kind: `core` and `weights` are a regression model, `methods`
 * and `weights` are task vectors on a model, groups with xs and ys are problems. Everything that
 * the program can compute is compared, through the functions that fit, evaluate and pretrain call;
 * the rest is reported as skipped. Tolerances: tolerances.h.
 */
#ifndef RUN_VERIFY_VERIFY_FILE_H
#define RUN_VERIFY_VERIFY_FILE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/text.h"
#include "model/params.h"
#include "run/verify/verify_report.h"
#include "store/fixture.h"

struct verify_request {
    const char *require;        /* see verify_require() */
    enum arithmetic arithmetic; /* of the products of the model */
    bool json;
};

/* Compares `path` and appends the report to *out. ERR_DIFFERS, ERR_DATA when nothing was compared
 * or the file cannot be read, ERR_USAGE, ERR_CONFIG for an arithmetic that is not there. */
enum err_code verify_file(struct text *out, const char *path, const struct verify_request *request,
                          struct err *err);

/* The comparison alone, of a file or of a folder that holds expected.h5, in the arithmetic of *r;
 * adds its lines. */
enum err_code verify_collect(struct verify_report *r, const char *path, struct err *err);

/* What follows the comparison: --require, the report, the outcome. */
enum err_code verify_finish(struct text *out, struct verify_report *r, const char *path,
                            const struct verify_request *request, struct err *err);

/* The same for a folder that holds expected.h5 and a language model; model: the folder of the model
 * if it is another one, else NULL. ERR_DATA also where the tensors are not those that the file
 * names (attribute tensors_sha256). */
enum err_code verify_folder(struct text *out, const char *folder, const char *model,
                            const struct verify_request *request, struct err *err);
bool verify_is_folder(const char *path);

/* The kinds; each adds its lines. */
enum err_code verify_regression(struct verify_report *r, const struct fixture *f, struct err *err);
enum err_code verify_methods(struct verify_report *r, const struct fixture *f, struct err *err);
/* Of a pretrained model, whose logits are given by their largest values. */
enum err_code verify_pretrained(struct verify_report *r, const struct fixture *f,
                                const struct params *p, struct err *err);
enum err_code verify_text(struct verify_report *r, const struct fixture *f, const struct params *p,
                          struct err *err);
enum err_code verify_problems(struct verify_report *r, const struct fixture *f, struct err *err);

#endif
