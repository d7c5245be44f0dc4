/*
 * pre_tokenizer.h - the `pre_tokenizer` of a tokenizer.json: cuts the text into the words that the
 * model encodes one by one.
 */
#ifndef TOKENIZER_PRE_TOKENIZER_H
#define TOKENIZER_PRE_TOKENIZER_H

#include "tokenizer/component.h"
#include "tokenizer/pieces.h"
#include "json/json.h"

enum pre_tokenizer_scheme { PRE_TOKENIZER_ALWAYS, PRE_TOKENIZER_FIRST, PRE_TOKENIZER_NEVER };

/* One component does up to four things, in this order. */
struct pre_tokenizer_step {
    char space[5];  /* replaces U+0020; "": nothing does */
    char prefix[5]; /* put in front of a piece that does not begin with it, by the scheme */
    enum pre_tokenizer_scheme scheme; /* of each piece, of that at the start of the text, of none */
    struct token_pattern *pattern;    /* NULL: no cut */
    enum pieces_behavior behavior;
    bool invert;
    bool byte_level; /* bytes become their printable characters */
};

struct pre_tokenizer {
    struct pre_tokenizer_step steps[COMPONENTS_MAX];
    size_t n;
};

/* Release it also after an error. ERR_DATA: a type or option that is not supported. */
enum err_code pre_tokenizer_read(struct pre_tokenizer *out, struct json value, const char *file,
                                 struct err *err);

/* That of GPT-2, as for vocab.json and merges.txt. */
enum err_code pre_tokenizer_gpt2(struct pre_tokenizer *out, bool add_prefix_space, struct err *err);
void pre_tokenizer_release(struct pre_tokenizer *p); /* idempotent */

/* The scheme of a Metaspace component, also that of a decoder. Older files say add_prefix_space
 * where newer ones have a scheme; the reference library accepts `false` only together with the
 * scheme "never". */
enum err_code pre_tokenizer_read_scheme(int *scheme, const struct component *c, struct err *err);

/* Replaces the pieces by smaller ones; those with an id stay. scratch: overwritten. */
enum err_code pre_tokenizer_apply(struct pieces *pieces, struct pieces *scratch,
                                  const struct pre_tokenizer *p, struct err *err);

#endif
