/*
 * verify_fit.h - the learning of a method against its reference implementation: losses, gradients
 * and steps of the optimisers.
 */
#ifndef RUN_VERIFY_VERIFY_FIT_H
#define RUN_VERIFY_VERIFY_FIT_H

#include "run/verify/verify_case.h"

/* Compares what the group holds of `loss`, `gradient`, `path`, `descent` and the means
 * (verify_methods.c), at the weights of the case. */
enum err_code verify_fit(struct verify_case *t, struct err *err);

#endif
