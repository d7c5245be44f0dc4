#include "ops/rotary.h"

#include <math.h>

static const double TWO_PI = 6.283185307179586476925;

/* Frequencies of Llama 3 (Grattafiori et al., arXiv:2407.21783; the formula is that of the
 * published code): long wavelengths are stretched, short ones are not, and the two are blended in
 * between. */
static double scale_llama3(double f, const struct rotary_dims *r) {
    const double turns = (double)r->original * f / TWO_PI; /* N / u */
    if (turns < r->low) return f / r->factor;
    if (turns > r->high) return f;
    const double s = (turns - r->low) / (r->high - r->low);
    return f * (1 - s) / r->factor + s * f;
}

static double frequency(size_t i, const struct rotary_dims *r) {
    const double f = pow(r->base, -2.0 * (double)i / (double)r->dims);
    switch (r->scaling) {
    case ROTARY_PLAIN:
        break;
    case ROTARY_LINEAR:
        return f / r->factor;
    case ROTARY_LLAMA3:
        return scale_llama3(f, r);
    }
    return f;
}

void rotary_table(float *restrict table, const struct rotary_dims *rotary,
                  const uint32_t *restrict position, size_t T) {
    const size_t half = rotary->dims / 2;
    for (size_t i = 0; i < half; i++) {
        const double f = frequency(i, rotary);
        for (size_t t = 0; t < T; t++) {
            const double angle = (double)position[t] * f;
            table[t * rotary->dims + i] = (float)cos(angle);
            table[t * rotary->dims + half + i] = (float)sin(angle);
        }
    }
}

/* x [dims] by the angles of table, times `direction`: 1 or -1. */
static void turn_halves(float *restrict x, const float *restrict table, size_t half,
                        float direction) {
#pragma omp simd
    for (size_t i = 0; i < half; i++) {
        const float a = x[i], b = x[half + i], c = table[i], s = direction * table[half + i];
        x[i] = a * c - b * s;
        x[half + i] = b * c + a * s;
    }
}

static void turn_adjacent(float *restrict x, const float *restrict table, size_t half,
                          float direction) {
#pragma omp simd
    for (size_t i = 0; i < half; i++) {
        const float a = x[2 * i], b = x[2 * i + 1], c = table[i], s = direction * table[half + i];
        x[2 * i] = a * c - b * s;
        x[2 * i + 1] = b * c + a * s;
    }
}

static void turn(float *restrict x, const struct rotary_heads *heads, const float *restrict table,
                 size_t dims, enum rotary_pairs pairs, float direction) {
    for (size_t t = 0; t < heads->T; t++, table += dims)
        for (size_t h = 0; h < heads->H; h++) {
            float *head = x + t * heads->row + h * heads->step;
            if (pairs == ROTARY_HALVES)
                turn_halves(head, table, dims / 2, direction);
            else
                turn_adjacent(head, table, dims / 2, direction);
        }
}

void rotary_forward(float *restrict x, const struct rotary_heads *heads,
                    const float *restrict table, size_t dims, enum rotary_pairs pairs) {
    turn(x, heads, table, dims, pairs, 1.0f);
}

void rotary_backward(float *restrict dx, const struct rotary_heads *heads,
                     const float *restrict table, size_t dims, enum rotary_pairs pairs) {
    turn(dx, heads, table, dims, pairs, -1.0f);
}
