/*
 * prompt_span.h - the part of a prompt that a context shows.
 */
#ifndef SOURCES_PROMPT_SPAN_H
#define SOURCES_PROMPT_SPAN_H

#include <stdbool.h>
#include <stddef.h>

/* Its pairs first .. first + pairs - 1, with the labels that are shown before the query at point
 * first + pairs; and the x of that point too where `and_x`. */
struct prompt_span {
    size_t first, pairs;
    bool and_x;
};

/* Tokens of a span, which is the length that a query after all of it sees. */
static inline size_t prompt_span_tokens(struct prompt_span s) { return 2 * s.pairs + s.and_x; }

#endif
