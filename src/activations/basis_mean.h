/*
 * basis_mean.h - the mean basis of many prompts, computed in chunks.
 */
#ifndef ACTIVATIONS_BASIS_MEAN_H
#define ACTIVATIONS_BASIS_MEAN_H

#include "activations/basis_collector.h"

struct basis_mean_options {
    const struct params *params;
    struct prompt_view prompts;
    size_t chunk; /* prompts of one pass: part of what determines the bits */
    /* Called after each chunk of `more` prompts; an error ends the computation. May be NULL. */
    enum err_code (*report)(void *context, size_t more, struct err *err);
    void *context;
};

/* Row 0 of `mean`: the mean of its parts over all prompts, summed in double in their order. c:
 * created for at least `chunk` prompts. */
enum err_code basis_mean(struct basis_set *mean, struct basis_collector *c,
                         const struct basis_mean_options *o, struct err *err);

#endif
