/*
 * unicode.h - UTF-8 text: its check, its characters and their properties, normalisation.
 *
 * The only user of libunistring.  Unless a function says otherwise, text is valid UTF-8.
 */
#ifndef TOKENIZER_UNICODE_H
#define TOKENIZER_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

/* The number of leading bytes of s [n], n > 0, that are one character; *valid is false if they are
 * only the longest beginning of one (at least one byte). Any bytes. */
size_t unicode_sequence(bool *valid, const char *s, size_t n);

/* The offset of the first byte that is not UTF-8; size if there is none. Any bytes. */
size_t unicode_check(const char *s, size_t size);

/* The character at *at, which moves behind it. */
uint32_t unicode_next(const char *s, size_t *at);

/* The character that ends at `end` > 0; *start is where it begins. */
uint32_t unicode_before(const char *s, size_t end, size_t *start);

/* Writes a character as UTF-8; returns the number of bytes. */
size_t unicode_write(char out[4], uint32_t c);

/* Appends any bytes with U+FFFD in place of each longest beginning of a character that is not
 * completed (The Unicode Standard, 3.9, "substitution of maximal subparts"). */
void unicode_add_lossy(struct text *out, const char *bytes, size_t size);

bool unicode_is_space(uint32_t c); /* White_Space */
bool unicode_is_word(uint32_t c);  /* \w of Unicode regular expressions, UTS 18 annex C */

enum unicode_form { UNICODE_NFC, UNICODE_NFD, UNICODE_NFKC, UNICODE_NFKD };

/* Appends the normalised text to *out. ERR_MEMORY. */
enum err_code unicode_normalize(struct text *out, enum unicode_form form, const char *s,
                                size_t size, struct err *err);

void unicode_library(struct text *out); /* "libunistring 1.0" */

#endif
