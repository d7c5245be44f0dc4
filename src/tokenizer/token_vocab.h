/*
 * token_vocab.h - the tokens of a model: id to bytes and bytes to id.
 *
 * The tokens of a model are added in any order, under ids from 0 on without a gap; added tokens
 * follow, in order.  A token is UTF-8 of at most TOKEN_BYTES_MAX bytes.
 */
#ifndef TOKENIZER_TOKEN_VOCAB_H
#define TOKENIZER_TOKEN_VOCAB_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

enum { TOKEN_BYTES_MAX = 4096, TOKEN_ID_MAX = (1 << 28) - 1 };

struct token_text { /* borrowed */
    const char *data;
    size_t size;
};

struct token_vocab {
    size_t n;                 /* ids 0 .. n - 1 */
    size_t own;               /* those of the model: ids below; the others are added tokens */
    struct text bytes;        /* of all tokens */
    struct token_span *spans; /* [capacity], by id */
    size_t capacity;
    uint32_t *slots; /* hash table of id + 1, open addressing; size is a power of two */
    size_t n_slots;
};

/* For a model of n tokens; added tokens may follow them. ERR_DATA beginning with `place`: none, or
 * too many. */
enum err_code token_vocab_init(struct token_vocab *v, size_t n, const char *place, struct err *err);
void token_vocab_release(struct token_vocab *v); /* idempotent */

/* ERR_DATA, beginning with `place`: an id that leaves a gap or is given twice, a token given twice
 * or too long. */
enum err_code token_vocab_add(struct token_vocab *v, const char *token, size_t size, int64_t id,
                              const char *place, struct err *err);

/* The id of a token, or of a token of the model; -1: none. */
int32_t token_vocab_find(const struct token_vocab *v, const char *token, size_t size);
int32_t token_vocab_find_own(const struct token_vocab *v, const char *token, size_t size);
struct token_text token_vocab_at(const struct token_vocab *v, int32_t id); /* 0 <= id < n */

/* A token for a message: cut at 40 bytes, in one line. */
const char *token_vocab_quote(char out[64], const char *token, size_t size);

#endif
