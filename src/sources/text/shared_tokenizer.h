/*
 * shared_tokenizer.h - the tokenizers of this process: plan opens a source for every job, and a
 * tokenizer of 50,000 tokens takes longer to read than a hundred prompts to encode.
 */
#ifndef SOURCES_TEXT_SHARED_TOKENIZER_H
#define SOURCES_TEXT_SHARED_TOKENIZER_H

#include "tokenizer/tokenizer.h"

/* tokenizer_open(), or the tokenizer that an earlier call has opened, if the files are the same
 * (inode, size, time). Close it as often as it was opened. */
enum err_code shared_tokenizer_open(struct tokenizer **out, const char *path, struct err *err);
void shared_tokenizer_close(struct tokenizer *t); /* NULL-safe */

#endif
