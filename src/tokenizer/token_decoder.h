/*
 * token_decoder.h - the `decoder` of a tokenizer.json: the tokens of some ids become text again.
 */
#ifndef TOKENIZER_TOKEN_DECODER_H
#define TOKENIZER_TOKEN_DECODER_H

#include "tokenizer/component.h"
#include "tokenizer/pieces.h"
#include "json/json.h"

enum token_decoder_kind {
    DECODER_BYTE_LEVEL,
    DECODER_BYTE_FALLBACK,
    DECODER_FUSE,
    DECODER_REPLACE,
    DECODER_STRIP,
    DECODER_METASPACE
};

struct token_decoder_step {
    enum token_decoder_kind kind;
    struct token_pattern *pattern; /* Replace */
    char *content;
    char character[5];              /* Strip, Metaspace */
    size_t strip_start, strip_stop; /* at most so many characters at either end of each token */
    bool drop_in_first;             /* Metaspace: in the first token it is left out, not a space */
};

struct token_decoder {
    struct token_decoder_step steps[COMPONENTS_MAX];
    size_t n; /* 0: the tokens are joined by spaces */
};

/* Release it also after an error. ERR_DATA: a type or option that is not supported. */
enum err_code token_decoder_read(struct token_decoder *out, struct json value, const char *file,
                                 struct err *err);
void token_decoder_byte_level(struct token_decoder *out); /* that of GPT-2 */
void token_decoder_release(struct token_decoder *d);      /* idempotent */

/* Appends the text of the tokens, one piece each with an id, which the call overwrites. */
enum err_code token_decoder_apply(struct text *out, const struct token_decoder *d,
                                  struct pieces *tokens, struct err *err);

#endif
