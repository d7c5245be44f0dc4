/*
 * length.h - how long a sequence may be.
 */
#ifndef MODEL_LENGTH_H
#define MODEL_LENGTH_H

#include "base/err.h"
#include "model/dims.h"

/* Tokens of the longest sequence that is computed: the positions, or a sliding window. */
size_t length_most(const struct model_dims *d);

/* ERR_DATA if sequences of `tokens` tokens are longer than that: for whoever plans prompts, before
 * any is run. place: what the message begins with, such as the folder of the model. */
enum err_code length_check(const struct model_dims *d, size_t tokens, const char *place,
                           struct err *err);

#endif
