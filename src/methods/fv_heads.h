/*
 * fv_heads.h - which heads a function vector has: the derivation of the method "fv".
 *
 * By fv.selection: the heads of largest average indirect effect (causal_map.h) or attribution by
 * gradients (head_gradient.h), those of smallest effect, or heads at random.
 */
#ifndef METHODS_FV_HEADS_H
#define METHODS_FV_HEADS_H

#include "methods/fv.h"

/* struct method_inputs of "fv": label-shuffled prompts, where heads are patched in them. */
void fv_texts(size_t n[], const struct method_setup *s, size_t train);
bool fv_takes_effects(const struct method_setup *s);

/* struct method_derivation of "fv". w [L, H]: 1 for a chosen head, else 0. ERR_NUMERIC where no
 * head has an effect, ERR_MEMORY, or what t->report returns. */
enum err_code fv_derive(float *w, const struct method_training *t, const struct method_setup *s,
                        struct err *err);
size_t fv_derive_bytes(const struct method_setup *s, const struct method_training *t);
void fv_derive_work(double *contexts, double *tokens, const struct method_setup *s,
                    const struct method_training *t);

#endif
