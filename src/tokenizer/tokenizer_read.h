/*
 * tokenizer_read.h - the parts of a tokenizer, and how they are read from files.
 */
#ifndef TOKENIZER_TOKENIZER_READ_H
#define TOKENIZER_TOKENIZER_READ_H

#include "tokenizer/added_tokens.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/token_decoder.h"
#include "tokenizer/token_model.h"
#include "tokenizer/token_template.h"
#include "tokenizer/tokenizer_config.h"

struct tokenizer_parts {
    struct token_model model;
    struct normalizer normalizer;
    struct added_tokens added;
    struct pre_tokenizer pre_tokenizer;
    struct token_template special;
    struct token_decoder decoder;
    struct tokenizer_config config;
};

/* See tokenizer_open(). Release the parts also after an error. */
enum err_code tokenizer_read(struct tokenizer_parts *out, const char *path, struct err *err);
void tokenizer_read_release(struct tokenizer_parts *p); /* idempotent */

#endif
