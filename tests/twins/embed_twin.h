/*
 * embed_twin.h - naive embedding and unembedding in double.
 *
 * A model with wte embeds token ids and has tied logits; the others have read-in and read-out.
 */
#ifndef TWINS_EMBED_TWIN_H
#define TWINS_EMBED_TWIN_H

#include "twins/model_twin.h"

/* x [length, E]: tokens [length, inputs] or ids [length] at positions `from` and following. */
void embed_twin_vectors(double *x, const struct model_twin *t, const double *tokens, size_t from,
                        size_t length);
void embed_twin_ids(double *x, const struct model_twin *t, const uint32_t *ids, size_t from,
                    size_t length);

/* Numbers of one answer: 1, or V. */
size_t unembed_twin_width(const struct model_twin *t);

/* x [R, E] -> out [R, unembed_twin_width()]. */
void unembed_twin(double *out, const struct model_twin *t, const double *x, size_t R);

#endif
