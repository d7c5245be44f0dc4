/*
 * fv.h - the vector of chosen heads, for who chooses them himself.
 */
#ifndef METHODS_FV_H
#define METHODS_FV_H

#include "methods/method.h"

enum fv_bias { FV_ONCE, FV_PER_HEAD, FV_NONE };
extern const char *const FV_BIASES[]; /* names in the order of the enum, NULL-terminated */

/* Sets what the keys of the method "fv" set. layers [n]: blocks edited, n <= METHOD_LAYERS; 0: the
 * middle third. */
void fv_setup(struct method_setup *s, enum fv_bias bias, const size_t *layers, size_t n);

/* w [L, H]: 1 for the first n heads of order, otherwise 0. */
void fv_choose(float *w, const struct model_dims *d, const uint32_t *order, size_t n);

#endif
