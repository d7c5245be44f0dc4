/*
 * json_writer.h - writes JSON value by value into a struct text.
 *
 * The writer tracks commas and nesting; a value in an object follows its json_write_key().  Numbers
 * are the shortest decimals that read back to the same bits; a number that is not finite becomes
 * null, since JSON has no such numbers.  The first failure (memory, bytes that are not UTF-8) is
 * recorded, and json_writer_end() reports it.
 *
 *     struct json_writer w = json_writer_begin(&text);
 *     json_write_object(&w);
 *     json_write_key(&w, "steps"), json_write_int(&w, 3);
 *     json_write_close(&w);
 *     TRY(json_writer_end(&w, err));
 */
#ifndef JSON_JSON_WRITER_H
#define JSON_JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "json/json.h"

struct json_writer {
    struct text *out; /* borrowed */
    int depth;
    bool after_key;
    bool bad_text;                   /* bytes that are not UTF-8 */
    char close[JSON_DEPTH_MAX + 1];  /* the bracket that ends each open level */
    bool filled[JSON_DEPTH_MAX + 1]; /* the level has a value: a comma precedes the next */
};

struct json_writer json_writer_begin(struct text *out);
enum err_code json_writer_end(const struct json_writer *w, struct err *err);

/* Open an object or an array; json_write_close() ends the one opened last. */
void json_write_object(struct json_writer *w);
void json_write_array(struct json_writer *w);
void json_write_close(struct json_writer *w);
void json_write_key(struct json_writer *w, const char *key);

void json_write_text(struct json_writer *w, const char *value);
void json_write_sized(struct json_writer *w, const char *value, size_t size); /* may have NUL */

/* A text that may hold any bytes, such as a path. If it is not valid UTF-8, each byte beyond ASCII
 * is written as '?'. */
void json_write_bytes(struct json_writer *w, const char *value);
void json_write_int(struct json_writer *w, int64_t value);
void json_write_number(struct json_writer *w, double value);
void json_write_bool(struct json_writer *w, bool value);
void json_write_null(struct json_writer *w);

#endif
