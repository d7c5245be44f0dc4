/*
 * place_set.h - a set of small numbers as bits, [words] of 64: the places of ready jobs in a queue.
 */
#ifndef SCHED_PLACE_SET_H
#define SCHED_PLACE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void place_set_add(uint64_t *set, size_t place);
void place_set_remove(uint64_t *set, size_t place);
bool place_set_has(const uint64_t *set, size_t place);

/* The first member at or after `from`, or SIZE_MAX. */
size_t place_set_next(const uint64_t *set, size_t words, size_t from);

#endif
