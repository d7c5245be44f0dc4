/*
 * verify_learning.h - what a method learns from, against its twin: losses, gradients and what an
 * optimiser makes of them.
 */
#ifndef RUN_VERIFY_VERIFY_LEARNING_H
#define RUN_VERIFY_VERIFY_LEARNING_H

#include "run/verify/verify_case.h"

/* Whatever of it the group holds (verify_methods.c), at the trial's weights. */
enum err_code verify_learning(struct verify_case *t, struct err *err);

#endif
