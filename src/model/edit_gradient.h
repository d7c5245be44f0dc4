/*
 * edit_gradient.h - the backward pass of edits.
 *
 * Gradients exist for edits that are affine in the activation, which is all but EDIT_STEER.
 */
#ifndef MODEL_EDIT_GRADIENT_H
#define MODEL_EDIT_GRADIENT_H

#include <stdbool.h>

#include "model/edit.h"

/* Is there an edit at this site; is there one that does more than add, so that the gradient
 * changes?
 */
bool edits_any_at(const struct edits *edits, size_t layer, enum edit_site site);
bool edits_query_at(const struct edits *edits, size_t layer, enum edit_site site); /* of scope
                                                                                      `query` */
bool edits_nonadditive_at(const struct edits *edits, size_t layer, enum edit_site site);

/* The factor of the activation in what the edits of a site make of it, where all of them add or mix
 * whole rows of every token. */
float edits_factor_at(const struct edits *edits, size_t layer, enum edit_site site);

/* g [R,E]: on entry the gradient after all edits of a site, on return the gradient before them.
 * earlier [R] as in struct query_rows, or NULL. scratch [E]. */
void edits_backward(float *g, const struct edits *edits, size_t layer, enum edit_site site,
                    const uint32_t *earlier, size_t R, size_t E, float *scratch);

#endif
