/*
 * byte_level.h - the printable characters that stand for the 256 bytes in byte-level vocabularies
 * (Radford et al. 2019, encoder.py of the published code): printable Latin-1 for itself, the other
 * bytes in order from U+0100.
 */
#ifndef TOKENIZER_BYTE_LEVEL_H
#define TOKENIZER_BYTE_LEVEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* Appends the character of each byte. */
void byte_level_add(struct text *out, const char *bytes, size_t size);

/* Appends the bytes that a token stands for; the token itself if one of its characters stands for
 * none. */
void byte_level_add_bytes(struct text *out, const char *token, size_t size);

#endif
