/*
 * token_template.h - the `post_processor` of a tokenizer.json: special tokens in front of a text
 * and behind it.
 */
#ifndef TOKENIZER_TOKEN_TEMPLATE_H
#define TOKENIZER_TOKEN_TEMPLATE_H

#include "tokenizer/component.h"
#include "tokenizer/token_ids.h"
#include "tokenizer/token_vocab.h"
#include "json/json.h"

struct token_template {
    struct token_ids before, after;
};

/* Release it also after an error. ERR_DATA: a type or option that is not supported, an id or token
 * that is not in the vocabulary. */
enum err_code token_template_read(struct token_template *out, const struct token_vocab *vocab,
                                  struct json value, const char *file, struct err *err);
void token_template_release(struct token_template *t); /* idempotent */

#endif
