/*
 * normalizer.h - the `normalizer` of a tokenizer.json: what happens to the text before it is cut.
 */
#ifndef TOKENIZER_NORMALIZER_H
#define TOKENIZER_NORMALIZER_H

#include "tokenizer/component.h"
#include "tokenizer/unicode.h"
#include "json/json.h"

struct normalizer_step {
    enum { NORMALIZER_PREPEND, NORMALIZER_REPLACE, NORMALIZER_FORM } kind;
    char *content;                 /* prepended to a text that is not empty, or put in place */
    struct token_pattern *pattern; /* of what is replaced */
    enum unicode_form form;
};

struct normalizer {
    struct normalizer_step steps[COMPONENTS_MAX];
    size_t n;
};

/* Release it also after an error. ERR_DATA: a type or option that is not supported. */
enum err_code normalizer_read(struct normalizer *out, struct json value, const char *file,
                              struct err *err);
void normalizer_release(struct normalizer *n); /* idempotent */

/* Changes a text in place. */
enum err_code normalizer_apply(struct text *text, const struct normalizer *n, struct err *err);

#endif
