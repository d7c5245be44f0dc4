/*
 * fit_state.h - copies the state of a fit, and writes and reads its numbers in a checkpoint.
 */
#ifndef STAGES_FIT_STATE_H
#define STAGES_FIT_STATE_H

#include "base/text.h"
#include "optim/fit_loop.h"

/* Copies the numbers, and the arrays (n and `memory` floats) into the arrays that *to has. */
void fit_state_copy(struct fit_loop_state *to, const struct fit_loop_state *from, size_t n,
                    size_t memory);

/* print: the choice and the numbers of *s as exact text, with a space after each. read: the
 * inverse; returns what follows. */
void fit_state_print(struct text *out, size_t choice, const struct fit_loop_state *s);
const char *fit_state_read(size_t *choice, struct fit_loop_state *s, const char *text);

#endif
