/*
 * dummy_pairs.h - pairs of zeros in the middle of a prompt, beside which a vector is added too.
 *
 * The published port of function vectors puts a pair (x = 0, y = 0) at point int(m t) of a prompt
 * of t points for each fraction m, and adds the vector at their tokens besides the query.  Its
 * token, 2 (int(m t) - 1), is one of another point; `corrected` takes the dummy's own x token.  One
 * rule holds for every method of a table, those without a vector included.
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
extern const char *const DUMMIES_RULES[]; /* names, by rule */

void dummy_pairs_read(struct dummy_pairs *out, const struct config_point *point);
/* ERR_CONFIG for more fractions than DUMMIES_MOST: those beyond are not read. */
enum err_code dummy_pairs_check(const struct config_point *point, struct err *err);

/* Pairs x [pairs, dims], y [pairs] with d's zero pairs put in: out_x [pairs + d->n, dims], out_y
 * [pairs + d->n]. The query is not among them: the prompt has pairs + 1 points. */
void dummy_pairs_insert(float *out_x, float *out_y, const struct dummy_pairs *d, const float *x,
                        const float *y, size_t pairs, size_t dims);

/* The tokens of that context at which a vector is added, as often as they are named: at [d->n]. */
void dummy_pairs_places(uint32_t *at, const struct dummy_pairs *d, size_t pairs);

#endif
