/*
 * fv.h - the keys of the method "fv", and its weights for heads chosen elsewhere.
 */
#ifndef METHODS_FV_H
#define METHODS_FV_H

#include "activations/causal_map.h"
#include "methods/method.h"

enum fv_bias { FV_ONCE, FV_PER_HEAD, FV_NONE };
extern const char *const FV_BIASES[]; /* names in the order of the enum, NULL-terminated */

/* Which heads are chosen; fv_heads.h. */
enum fv_selection { FV_AIE, FV_GRADIENT, FV_RANDOM, FV_BOTTOM, FV_UNIVERSAL };

/* Where the heads are edited: their sum after each of some blocks, after one block that is chosen
 * on validation prompts, or every head at its own layer. */
enum fv_sites { FV_AT_LAYERS, FV_ONE_LAYER, FV_DISTRIBUTED };

enum { FV_LAYERS = 64 }; /* blocks that can be edited */

struct fv_keys {
    int64_t heads;   /* of largest effect that are summed; 0: 35 of every 96 */
    int64_t prompts; /* training prompts of the causal map, the first ones; 0: all */
    double scale;    /* of the vector at each block, or of each head; 0: see fv.c */
    enum causal_corruption corruption;
    enum fv_bias bias;
    enum fv_selection selection;
    enum fv_sites sites;
    uint32_t n_layers, layers[FV_LAYERS]; /* blocks edited, in order, or candidates; none: the
                                             middle third, or all as candidates */
};
METHOD_KEYS(fv)

/* w [L, H]: 1 for the first n heads of order, otherwise 0. */
void fv_choose(float *w, const struct model_dims *d, const uint32_t *order, size_t n);

#endif
