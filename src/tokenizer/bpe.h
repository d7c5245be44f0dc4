/*
 * bpe.h - byte-pair encoding of one word (Sennrich et al. 2016), as the reference library computes
 * it: of all adjacent pairs that a merge joins, the one of least rank, then the leftmost, is joined
 * first.  O(n log n) in the characters of the word.
 */
#ifndef TOKENIZER_BPE_H
#define TOKENIZER_BPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "tokenizer/token_ids.h"
#include "tokenizer/token_vocab.h"

struct bpe_merge {
    int32_t left, right, result;
};

struct bpe {
    struct bpe_merge *merges; /* by rank */
    size_t n, capacity;
    uint32_t *slots; /* hash table of rank + 1 by (left, right); size is a power of two */
    size_t n_slots;
    bool ignore_merges; /* a word that is a token is that token */
    bool byte_fallback; /* an unknown character becomes its bytes, <0x00> .. <0xFF> */
    bool fuse_unk;      /* unknown characters in a row become one token */
    char *unk_token;    /* NULL: unknown characters are left out */
    int32_t bytes[256]; /* ids of <0x00> .. <0xFF>, or -1 */
};

struct bpe_scratch { /* zero at first; kept from word to word */
    struct bpe_symbol *symbols;
    size_t n, capacity;
    uint64_t *queue;
    size_t n_queue, queue_capacity;
};

/* Room for `expected` merges, and the ids of the 256 bytes. */
enum err_code bpe_init(struct bpe *b, const struct token_vocab *vocab, size_t expected,
                       struct err *err);
void bpe_release(struct bpe *b); /* idempotent */
void bpe_scratch_release(struct bpe_scratch *s);

/* The merge of the next rank. ERR_DATA beginning with `place`: a token that is not in the
 * vocabulary. A pair that is given again takes the later rank, as in the reference library. */
enum err_code bpe_add_merge(struct bpe *b, const struct token_vocab *vocab, const char *left,
                            size_t left_size, const char *right, size_t right_size,
                            const char *place, struct err *err);

/* Appends the ids of a word, UTF-8 of 1 to 2^31 - 1 bytes. ERR_DATA: an unknown character, and
 * unk_token is not in the vocabulary. */
enum err_code bpe_encode(struct token_ids *out, const struct bpe *b,
                         const struct token_vocab *vocab, struct bpe_scratch *s, const char *word,
                         size_t size, struct err *err);

#endif
