/*
 * verify_learned.h - what a method learns from, against its twin: losses, gradients and what an
 * optimiser makes of them.
 */
#ifndef RUN_VERIFY_LEARNED_H
#define RUN_VERIFY_LEARNED_H

#include "run/verify_trial.h"

/* Whatever of it the group holds (verify_methods.c), at the trial's weights. */
enum err_code verify_learned(struct trial *t, struct err *err);

#endif
