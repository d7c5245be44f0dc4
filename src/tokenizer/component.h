/*
 * component.h - the parts of a tokenizer.json: normalizer, pre_tokenizer, post_processor, decoder.
 *
 * Each part is null, one component, or a Sequence of them.  A component is an object with a `type`
 * and options; an option that its reader does not name is refused, as is a type.  Messages:
 * "FILE: PART TYPE: ...".
 */
#ifndef TOKENIZER_COMPONENT_H
#define TOKENIZER_COMPONENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "tokenizer/token_pattern.h"
#include "json/json.h"

enum { COMPONENTS_MAX = 64, COMPONENT_PLACE = 512 };

struct component {
    struct json object;
    const char *file, *part; /* "pre_tokenizer" */
    const char *type;        /* "Split" */
};

struct component_list {
    struct component items[COMPONENTS_MAX];
    size_t n;
};

/* A Sequence is replaced by its members, which stand under the key `members`. ERR_DATA. */
enum err_code component_list_read(struct component_list *out, struct json value, const char *file,
                                  const char *part, const char *members, struct err *err);

const char *component_place(char out[COMPONENT_PLACE], const struct component *c);

/* ERR_DATA: the type is not one of `supported`, a text for the message. */
enum err_code component_refuse(const struct component *c, const char *supported, struct err *err);

/* ERR_DATA naming the first key that is neither "type" nor in the NULL-terminated list. */
enum err_code component_keys(const struct component *c, const char *const *keys, struct err *err);

bool component_is_unset(const struct component *c, const char *key); /* absent or null */

/* Options: ERR_DATA for another JSON type. Unset: `*out` keeps its value, or ERR_DATA where there
 * is no default. */
enum err_code component_bool(bool *out, const struct component *c, const char *key,
                             struct err *err);
enum err_code component_text(const char **out, const struct component *c, const char *key,
                             struct err *err); /* no default */
enum err_code component_count(size_t *out, const struct component *c, const char *key,
                              struct err *err); /* no default; 0 to 1000 */

/* The index of an option's text in a NULL-terminated list. */
enum err_code component_choice(int *out, const struct component *c, const char *key,
                               const char *const *names, struct err *err);

/* An option of one character, as UTF-8. No default. */
enum err_code component_character(char out[5], const struct component *c, const char *key,
                                  struct err *err);

/* The option `pattern`: {"String": TEXT} or {"Regex": TEXT}. */
enum err_code component_pattern(struct token_pattern **out, const struct component *c,
                                struct err *err);

#endif
