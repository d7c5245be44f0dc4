/*
 * embed.h - tokens become rows of the residual stream: the input of block 0.
 *
 * A token is a real vector [inputs] (read-in map) or a token id (row of wte); the family determines
 * which of `vectors` and `ids` is read; the other may be NULL. Its learned position, if the
 * family has those, is added to either.
 */
#ifndef MODEL_EMBED_H
#define MODEL_EMBED_H

#include <stdint.h>

#include "model/params.h"

/* x [B, length, E] of B sequences that begin at position 0; vectors [B, length, inputs] or ids
 * [B, length], each below V. */
void embed_sequences(float *x, const struct params *p, const float *vectors, const uint32_t *ids,
                     size_t B, size_t length);

/* x [R, E] of R single tokens; vectors [R, inputs] or ids [R]; position [R]. */
void embed_rows(float *x, const struct params *p, const float *vectors, const uint32_t *ids,
                const uint32_t *position, size_t R);

/* Adds the gradient of the read-in map or of wte, and of wpe, given dx [B, length, E], that of what
 * embed_sequences() made of the same tokens. */
void embed_backward(const struct params *gradient, const float *dx, const float *vectors,
                    const uint32_t *ids, size_t B, size_t length);

#endif
