/*
 * verify_model.h - the regression model of a reference file.
 */
#ifndef RUN_VERIFY_VERIFY_MODEL_H
#define RUN_VERIFY_VERIFY_MODEL_H

#include "model/params.h"
#include "run/verify/verify_report.h"
#include "store/fixture.h"

/* The model that the root attributes describe, with the tensors of the group `weights`; release it
 * with params_destroy. ERR_DATA where attributes or shapes are wrong. */
enum err_code verify_read_model(struct params *out, const struct fixture *f, struct err *err);

/* The products of the model in the arithmetic of the report (model_products_use). */
enum err_code verify_use_arithmetic(struct params *p, const struct verify_report *r, bool trains,
                                    struct err *err);

/* Reads GROUP/NAME for every tensor of p, whose dims are set. */
enum err_code verify_read_params(struct params *p, const struct fixture *f, const char *group,
                                 struct err *err);

#endif
