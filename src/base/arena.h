/*
 * arena.h - one block for many float arrays of one lifetime.
 *
 * The same layout code runs twice: on a zeroed arena it only measures, after arena_commit() it
 * places, so size and position cannot disagree.  Arrays start at multiples of ARENA_ALIGN bytes.
 * Under AddressSanitizer a poisoned zone follows each array, so running off the end of a tensor is
 * caught although it stays inside one allocation.  Large blocks ask for huge pages.
 *
 *     struct arena a = {0};
 *     lay_out(&t, &a);              // measures: every pointer is NULL
 *     TRY(arena_commit(&a, err));
 *     lay_out(&t, &a);              // places
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/err.h"

enum { ARENA_ALIGN = 64 }; /* bytes: a cache line, an AVX-512 register */

struct arena {
    unsigned char *block; /* NULL while measuring; owned */
    size_t used;          /* bytes handed out, padding included */
    size_t size;          /* bytes of block */
};

/* Storage for n floats, or NULL while measuring. Taking more than was measured is a bug. */
float *arena_floats(struct arena *a, size_t n);

/* Allocates what was measured, filled with zeros; used returns to 0. ERR_MEMORY names the size. */
enum err_code arena_commit(struct arena *a, struct err *err);

void arena_release(struct arena *a); /* NULL-safe, idempotent */

#endif
