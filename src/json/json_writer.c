#include "json/json_writer.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

struct json_writer json_writer_begin(struct text *out) {
    return (struct json_writer){.out = out};
}

enum err_code json_writer_end(const struct json_writer *w, struct err *err) {
    assert(w->depth == 0 && !w->after_key);
    if (w->bad_text) return ERR(err, ERR_DATA, "a text for a JSON file is not valid UTF-8");
    return text_check(w->out, err);
}

static void write_separator(struct json_writer *w) {
    if (w->filled[w->depth] && !w->after_key) text_bytes(w->out, ",", 1);
    w->filled[w->depth] = true;
    w->after_key = false;
}

static void open_level(struct json_writer *w, char open, char close) {
    assert(w->depth < JSON_DEPTH_MAX);
    write_separator(w);
    text_bytes(w->out, &open, 1);
    w->depth++;
    w->close[w->depth] = close;
    w->filled[w->depth] = false;
}

void json_write_object(struct json_writer *w) { open_level(w, '{', '}'); }

void json_write_array(struct json_writer *w) { open_level(w, '[', ']'); }

void json_write_close(struct json_writer *w) {
    assert(w->depth > 0 && !w->after_key);
    text_bytes(w->out, &w->close[w->depth], 1);
    w->depth--;
}

static int append(const char *bytes, size_t size, void *out) {
    text_bytes(out, bytes, size);
    return 0;
}

/* Takes ownership of the node; NULL: the library refused the text. */
static void add_node(struct json_writer *w, json_t *node, size_t flags) {
    if (!node || json_dump_callback(node, append, w->out, JSON_ENCODE_ANY | flags) != 0)
        w->bad_text = true;
    json_decref(node);
}

void json_write_key(struct json_writer *w, const char *key) {
    assert(w->depth > 0 && w->close[w->depth] == '}');
    write_separator(w);
    add_node(w, json_string(key), 0);
    text_bytes(w->out, ":", 1);
    w->after_key = true;
}

void json_write_text(struct json_writer *w, const char *value) {
    write_separator(w);
    add_node(w, json_string(value), 0);
}

void json_write_sized(struct json_writer *w, const char *value, size_t size) {
    write_separator(w);
    add_node(w, json_stringn(value, size), 0);
}

void json_write_bytes(struct json_writer *w, const char *value) {
    struct text plain = {0};
    json_t *node = json_string(value);
    for (const char *at = value; !node && *at; at++) {
        const bool ascii = (unsigned char)*at < 0x80;
        text_bytes(&plain, ascii ? at : "?", 1);
    }
    write_separator(w);
    add_node(w, node ? node : json_string(text_str(&plain)), 0);
    text_release(&plain);
}

void json_write_int(struct json_writer *w, int64_t value) {
    write_separator(w);
    add_node(w, json_integer(value), 0);
}

static size_t digits_needed(double value) {
    char text[40];
    size_t digits = 1;
    for (; digits < 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", (int)digits, value);
        if (strtod(text, NULL) == value) break;
    }
    return digits;
}

void json_write_number(struct json_writer *w, double value) {
    if (!isfinite(value)) {
        json_write_null(w);
        return;
    }
    write_separator(w);
    add_node(w, json_real(value), JSON_REAL_PRECISION(digits_needed(value)));
}

void json_write_bool(struct json_writer *w, bool value) {
    write_separator(w);
    text_add(w->out, value ? "true" : "false");
}

void json_write_null(struct json_writer *w) {
    write_separator(w);
    text_add(w->out, "null");
}
