/*
 * rotary.h - rotary positions: how the query and key vectors of a head turn with their position.
 *
 * Su et al., arXiv:2104.09864, eq. 34.  The first `dims` coordinates of a head form pairs; pair i
 * turns by the angle position * frequency[i], frequency[i] = base^(-2 i / dims).
 */
#ifndef OPS_ROTARY_H
#define OPS_ROTARY_H

#include <stddef.h>

enum rotary_scaling {
    ROTARY_PLAIN,
    ROTARY_LINEAR, /* every frequency divided by `factor` */
    ROTARY_LLAMA3  /* long wavelengths only, with a transition between them and short ones */
};

struct rotary_dims {
    size_t dims; /* coordinates of a head that turn: even; 0: none, the model has no rotary
                    positions */
    double base;
    enum rotary_scaling scaling;
    double factor;    /* of both scalings */
    double low, high; /* of ROTARY_LLAMA3: with wavelength u = 2 pi / frequency and N = original, */
    size_t original;  /* u > N / low is divided by factor, u < N / high is not */
};

#endif
