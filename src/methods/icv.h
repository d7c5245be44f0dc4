/*
 * icv.h - in-context vectors, for who sets their numbers himself.
 */
#ifndef METHODS_ICV_H
#define METHODS_ICV_H

#include "methods/method.h"

/* Sets what the keys of the method "icv" set. mean: the basis is one mean, so the principal
 * component is added to it. */
void icv_setup(struct method_setup *s, double scale, size_t layer_shift, bool mean);

#endif
