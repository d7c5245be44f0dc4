/*
 * verify_fv_icv.h - function vectors and in-context vectors against reference numbers.
 */
#ifndef RUN_VERIFY_VERIFY_FV_ICV_H
#define RUN_VERIFY_VERIFY_FV_ICV_H

#include "model/params.h"
#include "run/verify/verify_report.h"
#include "store/fixture.h"

/* Adds the lines of parts `fv` and `icv`, where the file has them, computed by the functions that
 * fit and evaluate call. Their prompts are those of the group `ltv`. */
enum err_code verify_fv_icv(struct verify_report *r, const struct fixture *f,
                            const struct params *p, struct err *err);

#endif
