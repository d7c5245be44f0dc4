/*
 * dummy_pairs.h - pairs of zeros inside a prompt, at which a task vector is added too.
 *
 * The published regression port of function vectors inserts a pair (x = 0, y = 0) before point
 * int(m t) of a prompt of t points for each fraction m, and adds the vector at these pairs as well
 * as at the query. The token it uses, 2 (int(m t) - 1), belongs to another point; `corrected` uses
 * the x token of the dummy pair. All methods of a table get the same prompts, baselines included.
 */
#ifndef PASSES_DUMMY_PAIRS_H
#define PASSES_DUMMY_PAIRS_H

#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

enum { DUMMIES_MOST = 16 };
enum dummy_pairs_rule { DUMMIES_NONE, DUMMIES_AS_PUBLISHED, DUMMIES_CORRECTED };

struct dummy_pairs {
    enum dummy_pairs_rule rule;
    size_t n;
    double fraction[DUMMIES_MOST]; /* in [0, 1) */
};

extern const struct config_key DUMMIES_KEYS[];
extern const size_t DUMMIES_KEYS_N;
extern const char *const DUMMIES_RULES[]; /* names by enum dummy_pairs_rule */

void dummy_pairs_read(struct dummy_pairs *out, const struct config_point *point);
/* ERR_CONFIG for no fraction or more than DUMMIES_MOST; dummy_pairs_read() reads no more. */
enum err_code dummy_pairs_check(const struct config_point *point, struct err *err);

/* Inserts d's zero pairs into the pairs x [pairs, dims], y [pairs] of a prompt of pairs + 1 points
 * (the last is the query): out_x [pairs + d->n, dims], out_y [pairs + d->n]. */
void dummy_pairs_insert(float *out_x, float *out_y, const struct dummy_pairs *d, const float *x,
                        const float *y, size_t pairs, size_t dims);

/* at [d->n]: the tokens of that context at which a vector is added; a token may occur twice. */
void dummy_pairs_places(uint32_t *at, const struct dummy_pairs *d, size_t pairs);

#endif
