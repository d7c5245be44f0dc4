/*
 * verify_shifts.h - shifts against reference numbers, by the functions that draw prompts.
 */
#ifndef RUN_VERIFY_VERIFY_SHIFTS_H
#define RUN_VERIFY_VERIFY_SHIFTS_H

#include "run/verify/verify_file.h"

/* shift/orthogonal_context -> shift/orthogonal_query of a regression file. */
enum err_code verify_shift_queries(struct verify_report *r, const struct fixture *f,
                                   struct err *err);

/* shift/skewed_eigenvalues and shift/skewed_transform of a problem file. */
enum err_code verify_shift_spectrum(struct verify_report *r, const struct fixture *f,
                                    struct err *err);

#endif
