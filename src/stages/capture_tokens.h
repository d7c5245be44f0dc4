/*
 * capture_tokens.h - at which tokens of a prompt of text `capture` saves activations: its key
 * `tokens`.
 */
#ifndef STAGES_CAPTURE_TOKENS_H
#define STAGES_CAPTURE_TOKENS_H

#include <stdbool.h>

#include "config/config.h"
#include "sources/prompt_view.h"

enum capture_tokens {
    CAPTURE_QUERY,          /* the last one, before the answer */
    CAPTURE_BEFORE_ANSWERS, /* the last one before each answer, those shown and the one asked for */
    CAPTURE_ANSWERS,        /* the last one of each shown answer */
    CAPTURE_ALL
};
extern const char *const CAPTURE_TOKENS[]; /* as in a config; NULL ends it */

/* CAPTURE_QUERY for prompts of numbers, which do not have the key. */
enum capture_tokens capture_tokens_read(const struct config_point *point);

/* The most that a prompt of `points` points and up to `longest` tokens has. */
size_t capture_tokens_most(enum capture_tokens which, size_t points, size_t longest);

/* Is token t of prompt i one of them? The view has prompt_text.next, unless `which` is
 * CAPTURE_QUERY or CAPTURE_ALL. */
bool capture_tokens_have(enum capture_tokens which, const struct prompt_view *prompts, size_t i,
                         size_t t);

/* at [most]: those of prompt i, in ascending order, then PROMPT_NO_TARGET. */
void capture_tokens_find(uint32_t *at, enum capture_tokens which, size_t most,
                         const struct prompt_view *prompts, size_t i);

#endif
