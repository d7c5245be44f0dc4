/*
 * tokenizer.h - text to token ids and back, as the library `tokenizers` of Hugging Face does it.
 *
 * Read are tokenizer.json (byte-level and byte-fallback BPE, WordLevel) and, where it is absent,
 * vocab.json with merges.txt (GPT-2).  What a file asks for and is not supported is refused when
 * the tokenizer is opened, by name.  Ids run from 0 without a gap.  A tokenizer keeps scratch of
 * its own: one thread at a time may use it.
 */
#ifndef TOKENIZER_TOKENIZER_H
#define TOKENIZER_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "tokenizer/token_ids.h"
#include "tokenizer/token_vocab.h"

struct tokenizer;

/* path: a folder with a tokenizer, or a tokenizer.json. ERR_DATA and ERR_IO name the file. */
enum err_code tokenizer_open(struct tokenizer **out, const char *path, struct err *err);
void tokenizer_close(struct tokenizer *t); /* NULL-safe */

size_t tokenizer_count(const struct tokenizer *t);
struct token_text tokenizer_token(const struct tokenizer *t, int32_t id); /* as in the vocabulary */
int32_t tokenizer_find(const struct tokenizer *t, const char *token);     /* or -1 */

/* The token that stands for what the vocabulary lacks, or -1. */
int32_t tokenizer_unknown(const struct tokenizer *t);

/* Appends the ids of a text; special: with the tokens of the post-processor around it. ERR_DATA: a
 * byte that is not UTF-8, with its offset; 2^30 bytes or more; what the vocabulary cannot say. */
enum err_code tokenizer_encode(struct token_ids *out, const struct tokenizer *t, const char *text,
                               size_t size, bool special, struct err *err);

/* The token that begins every prompt, or -1. setting: "none"; the text of a token; or "auto": what
 * add_bos_token of tokenizer_config.json says or, where it says nothing, the post-processor.
 * ERR_DATA: no such token, or "auto" and other special tokens would be added. */
enum err_code tokenizer_bos(int32_t *out, const struct tokenizer *t, const char *setting,
                            struct err *err);

/* Appends the ids of a prompt: `bos` (-1: none), unless the text begins with it, and the text
 * without the post-processor. */
enum err_code tokenizer_encode_prompt(struct token_ids *out, const struct tokenizer *t, int32_t bos,
                                      const char *text, size_t size, struct err *err);

/* Appends the text of ids, special tokens included; bytes that are not UTF-8 become U+FFFD as in
 * the reference library. ERR_DATA: an id outside the vocabulary. */
enum err_code tokenizer_decode(struct text *out, const struct tokenizer *t, const int32_t *ids,
                               size_t n, struct err *err);

void tokenizer_libraries(struct text *out); /* "PCRE2 10.42, libunistring 1.0" */

#endif
