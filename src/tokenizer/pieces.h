/*
 * pieces.h - a text cut into pieces, on its way from text to ids, or from ids to text.
 *
 * Each step of a tokenizer reads one list of pieces and writes another.  A piece that is an added
 * token has its id; steps pass it on as it is.
 */
#ifndef TOKENIZER_PIECES_H
#define TOKENIZER_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "tokenizer/token_pattern.h"

struct piece {
    size_t start, size; /* bytes of the text */
    int32_t id;         /* of an added token; -1: text */
    bool first;         /* begins where the whole text begins */
};

struct pieces {
    struct text text;
    struct piece *list;
    size_t n, capacity;
    bool failed; /* memory was short */
};

void pieces_release(struct pieces *p);                               /* idempotent */
void pieces_clear(struct pieces *p);                                 /* keeps the storage */
enum err_code pieces_check(const struct pieces *p, struct err *err); /* ERR_MEMORY, as text_check */

/* Appends a piece of bytes [size]; an empty one is left out unless it is a token. */
void pieces_add(struct pieces *p, const char *bytes, size_t size, int32_t id, bool first);

/* Append a piece, or a token, that was written to p->text from byte `start` on. */
void pieces_add_written(struct pieces *p, size_t start, bool first);
void pieces_add_token(struct pieces *p, size_t start, int32_t id);

const char *pieces_bytes(const struct pieces *p, size_t i);

/* What becomes of a match of the pattern (the behaviours of the reference library). */
enum pieces_behavior {
    PIECES_ISOLATED,
    PIECES_REMOVED,
    PIECES_MERGED_WITH_PREVIOUS,
    PIECES_MERGED_WITH_NEXT,
    PIECES_CONTIGUOUS
};

/* Appends piece i of `in`, cut at the matches of the pattern; invert: at what is no match. */
enum err_code pieces_split(struct pieces *out, const struct pieces *in, size_t i,
                           const struct token_pattern *pattern, enum pieces_behavior behavior,
                           bool invert, struct err *err);

#endif
