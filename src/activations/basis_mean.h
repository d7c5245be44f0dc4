/*
 * basis_mean.h - the mean basis of many prompts, a chunk of them at a time.
 */
#ifndef ACTIVATIONS_BASIS_MEAN_H
#define ACTIVATIONS_BASIS_MEAN_H

#include "activations/basis_collector.h"

struct basis_mean_options {
    const struct params *params;
    struct prompt_view prompts;
    size_t chunk; /* prompts that go through the model together: decides bits */
    /* NULL, or who is told after each chunk that `more` prompts are through; an error ends it. */
    enum err_code (*report)(void *context, size_t more, struct err *err);
    void *context;
};

/* Row 0 of mean: its parts, in the mean over the prompts, summed in their order in double. c: made
 * for at least `chunk` prompts. */
enum err_code basis_mean(struct basis_set *mean, struct basis_collector *c,
                         const struct basis_mean_options *o, struct err *err);

#endif
