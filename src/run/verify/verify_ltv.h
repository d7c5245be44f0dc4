/*
 * verify_ltv.h - curves and learnable task vectors against reference numbers.
 */
#ifndef RUN_VERIFY_VERIFY_LTV_H
#define RUN_VERIFY_VERIFY_LTV_H

#include "model/params.h"
#include "run/verify/verify_report.h"
#include "store/fixture.h"

/* Adds the lines of parts `ltv` and `curve`, computed by the functions that fit and evaluate call.
 */
enum err_code verify_ltv(struct verify_report *r, const struct fixture *f, const struct params *p,
                         struct err *err);

#endif
