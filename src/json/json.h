/*
 * json.h - a JSON parser for untrusted text, and typed access to its values.
 *
 * Refused, with line and byte: syntax errors, duplicate keys, anything after the value, bytes that
 * are not UTF-8, a byte order mark, NUL in a string (except by json_parse_any_text()), integers
 * beyond 64 bits, nesting beyond JSON_DEPTH_MAX. `struct json` is a handle that is passed by value;
 * its data is valid until json_release() of the root.  A handle may also stand for an absent
 * member, which every json_read_*() refuses with a message.
 */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

enum { JSON_DEPTH_MAX = 64 };

enum json_kind {
    JSON_KIND_ABSENT,
    JSON_KIND_NULL,
    JSON_KIND_BOOL,
    JSON_KIND_INT, /* written without point or exponent */
    JSON_KIND_REAL,
    JSON_KIND_TEXT,
    JSON_KIND_ARRAY,
    JSON_KIND_OBJECT
};

struct json {
    struct json_t *node; /* NULL: absent */
};

/* Parses size bytes; `place` (a file name) opens the message. ERR_DATA or ERR_MEMORY; otherwise
 * release the root by json_release(). */
enum err_code json_parse(struct json *root, const char *data, size_t size, const char *place,
                         struct err *err);
/* The same, but texts may have NUL; json_read_sized() reads them. */
enum err_code json_parse_any_text(struct json *root, const char *data, size_t size,
                                  const char *place, struct err *err);
void json_release(struct json *root); /* only for roots; idempotent */

enum json_kind json_kind(struct json value);
const char *json_kind_text(enum json_kind kind);              /* "a text", "an array" */
size_t json_count(struct json value);                         /* items or members; else 0 */
struct json json_item(struct json array, size_t i);           /* absent past the end */
struct json json_member(struct json object, const char *key); /* absent if there is none */

/* ERR_DATA "PLACE: expected a text, received 3" unless the value has the requested type. A number
 * is an INT or a REAL. Texts are UTF-8 without NUL and belong to the root. */
enum err_code json_expect(struct json value, enum json_kind kind, const char *place,
                          struct err *err);
enum err_code json_read_text(const char **out, struct json value, const char *place,
                             struct err *err);
enum err_code json_read_sized(const char **out, size_t *size, struct json value, const char *place,
                              struct err *err);
enum err_code json_read_bool(bool *out, struct json value, const char *place, struct err *err);
enum err_code json_read_int(int64_t *out, struct json value, const char *place, struct err *err);
enum err_code json_read_number(double *out, struct json value, const char *place, struct err *err);

/* ERR_DATA, with the nearest name, for a member of the object that is not one of names[n]. */
enum err_code json_expect_members(struct json object, const char *const *names, size_t n,
                                  const char *place, struct err *err);

/* Iterates over members in the order of the text:
 *     for (struct json_walk w = {.object = o}; json_next(&w);) use(w.key, w.value); */
struct json_walk {
    struct json object;
    void *at;
    const char *key;
    struct json value;
};
bool json_next(struct json_walk *w);

/* Equal numbers (3 and 3.0 are), texts, booleans or nulls; arrays and objects are never equal. */
bool json_same_scalar(struct json a, struct json b);
/* The value as a message shows it: 3, true, "text" cut to 40 bytes, "an object". */
enum { JSON_SHOWN = 64 };
void json_show(char out[JSON_SHOWN], struct json value);
void json_show_text(char out[JSON_SHOWN],
                    const char *text); /* the same of a text, cut to 60 bytes */

void json_library(struct text *out); /* "jansson 2.14" */

#endif
