/*
 * rotary.h - rotary positions: how the query and key vectors of a head turn with their position.
 *
 * Su et al., arXiv:2104.09864, eq. 34.  The first `dims` coordinates of a head form pairs; pair i
 * turns by the angle position * frequency[i], frequency[i] = base^(-2 i / dims).
 */
#ifndef OPS_ROTARY_H
#define OPS_ROTARY_H

#include <stddef.h>
#include <stdint.h>

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

/* The coordinates of pair i. */
enum rotary_pairs {
    ROTARY_HALVES,  /* i and i + dims / 2 (NeoX, Llama) */
    ROTARY_ADJACENT /* 2 i and 2 i + 1 (GPT-J) */
};

/* table [T, dims]: for each position the cosines of its dims / 2 angles, then their sines. */
void rotary_table(float *restrict table, const struct rotary_dims *rotary,
                  const uint32_t *restrict position, size_t T);

/* Vectors of T tokens: head h of token t begins at x + t * row + h * step. */
struct rotary_heads {
    size_t T, H, row, step;
};

/* Turns all of them in place; table [T, dims] holds the angles of the tokens. */
void rotary_forward(float *restrict x, const struct rotary_heads *heads,
                    const float *restrict table, size_t dims, enum rotary_pairs pairs);

/* The gradient of the turned vectors becomes that of the vectors before. */
void rotary_backward(float *restrict dx, const struct rotary_heads *heads,
                     const float *restrict table, size_t dims, enum rotary_pairs pairs);

#endif
