/*
 * edit_gradient.h - gradients through edits: every one that is learned through is affine in what it
 * edits.
 */
#ifndef MODEL_EDIT_GRADIENT_H
#define MODEL_EDIT_GRADIENT_H

#include <stdbool.h>

#include "model/edit.h"

/* Whether a place is edited at all; whether some edit there does more than add. */
bool edits_touch(const struct edits *edits, size_t layer, enum edit_site site);
bool edits_bend(const struct edits *edits, size_t layer, enum edit_site site);

/* g [R,E]: the gradient after all edits of a place -> before them. scratch [E]. */
void edits_backward(float *g, const struct edits *edits, size_t layer, enum edit_site site,
                    size_t R, size_t E, float *scratch);

#endif
