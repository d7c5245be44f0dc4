/*
 * fit_state.h - the state of a fit, copied, and its numbers as text in a checkpoint.
 */
#ifndef STAGES_FIT_STATE_H
#define STAGES_FIT_STATE_H

#include "base/text.h"
#include "optim/fit_loop.h"

/* Numbers, and the arrays, of n and `memory` floats, into those of *to. */
void fit_state_copy(struct fit_loop_state *to, const struct fit_loop_state *from, size_t n,
                    size_t memory);

/* The numbers of a fit of one choice, and a blank; back again, returning what follows. */
void fit_state_print(struct text *out, size_t choice, const struct fit_loop_state *s);
const char *fit_state_read(size_t *choice, struct fit_loop_state *s, const char *text);

#endif
