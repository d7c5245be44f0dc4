/*
 * head_ranking.h - heads in the order of their importance, by whatever measure: how many the first
 * ones are, and what remains of an order without the first heads of another.
 *
 * order [n] holds each of 0 .. n - 1 once, the most important first, as causal_rank() makes it.
 */
#ifndef ACTIVATIONS_HEAD_RANKING_H
#define ACTIVATIONS_HEAD_RANKING_H

#include <stddef.h>
#include <stdint.h>

/* The heads that a share of n heads is: rounded, and at least 1; 0 where the share is 0. */
size_t head_ranking_top(double share, size_t n);

/* out [n]: `order` without the first `top` heads of `excluded`; returns the number that is left. */
size_t head_ranking_without(uint32_t *out, const uint32_t *order, size_t n,
                            const uint32_t *excluded, size_t top);

#endif
