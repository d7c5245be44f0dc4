/*
 * text.h - a growing string.
 *
 * Out of memory while growing is remembered, so callers check once, at the end, with text_check().
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct text {
    char *data; /* NUL-terminated once anything was added; owned */
    size_t size, capacity;
    bool failed; /* an allocation failed; what was added since is missing */
};

void text_add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_bytes(struct text *t, const void *data, size_t size);
void text_integer(struct text *t, int64_t value); /* "%lld", several times faster */
void text_clear(struct text *t);                  /* size 0; keeps the storage */
void text_release(struct text *t);
enum err_code text_check(const struct text *t, struct err *err); /* ERR_MEMORY if anything failed */
const char *text_str(const struct text *t);                      /* "" while empty */

/* A copy on the heap, NULL if memory is short. */
char *text_copy(const char *s);

bool text_ends_with(const char *s, const char *end);

/* "" for one, else "s": "%zu job%s", n, text_plural(n). */
static inline const char *text_plural(size_t n) { return n == 1 ? "" : "s"; }

/* NaN without a sign, for messages: printf() may print "-nan". Other numbers stay. */
double text_nan(double x);

/* The index of s in a NULL-terminated list that contains it. */
int text_index(const char *const *list, const char *s);

/* The choice nearest to `word` by edit distance, where upper and lower case are equal; NULL when
 * none is close enough to suggest. */
const char *text_nearest(const char *word, const char *const *choices, size_t n);

#endif
