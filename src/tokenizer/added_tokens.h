/*
 * added_tokens.h - the tokens of a tokenizer.json that are found in the text as a whole, before
 * (`normalized` false) or after the normaliser; the leftmost first, of those the longest.
 */
#ifndef TOKENIZER_ADDED_TOKENS_H
#define TOKENIZER_ADDED_TOKENS_H

#include <stdbool.h>

#include "tokenizer/normalizer.h"
#include "tokenizer/pieces.h"
#include "tokenizer/token_vocab.h"
#include "json/json.h"

struct added_token {
    int32_t id;
    struct text pattern; /* what is searched: the token, after the normaliser if `normalized` */
    bool normalized;
    bool lstrip, rstrip; /* takes the white space before, behind it too */
    bool single_word;    /* not next to a letter, mark, digit or connector */
};

struct added_matcher { /* sorted by pattern */
    struct added_token **list;
    size_t n;
    size_t first[257]; /* patterns that begin with byte b: first[b] .. first[b + 1] - 1 */
};

struct added_tokens {
    struct added_token *list; /* owned */
    size_t n;
    struct added_token **by_id; /* [n_ids], NULL for the other tokens */
    size_t n_ids;
    struct added_matcher before, after; /* the normaliser */
};

/* Reads an array of tokens; those that the vocabulary lacks are added to it, under ids that follow
 * its last one in order. Release it also after an error. ERR_DATA: an option, id or token that is
 * wrong. */
enum err_code added_tokens_read(struct added_tokens *out, struct token_vocab *vocab,
                                struct json value, const struct normalizer *normalizer,
                                const char *file, struct err *err);
void added_tokens_release(struct added_tokens *a); /* idempotent */

/* The added token of an id, or NULL. */
const struct added_token *added_tokens_at(const struct added_tokens *a, int32_t id);

/* Appends piece i of `in`, cut at the tokens that are in it. */
void added_tokens_split(struct pieces *out, const struct pieces *in, size_t i,
                        const struct added_matcher *m);

#endif
