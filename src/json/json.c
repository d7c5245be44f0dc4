#include "json/json.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* A control character in a file must not break a message into lines. */
static void make_printable(char *s) {
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f) *s = '?';
}

/* The library parses recursively, so deep nesting is refused before it could exhaust the stack. */
static enum err_code check_depth(const char *data, size_t size, const char *place,
                                 struct err *err) {
    size_t depth = 0, line = 1;
    bool in_text = false;
    for (size_t i = 0; i < size; i++) {
        const char c = data[i];
        if (c == '\n') line++;
        if (in_text && c == '\\') {
            i++;
        } else if (c == '"') {
            in_text = !in_text;
        } else if (!in_text && (c == '{' || c == '[')) {
            if (++depth > JSON_DEPTH_MAX)
                return ERR(err, ERR_DATA, "%s: line %zu, byte %zu: nested deeper than %d levels",
                           place, line, i, JSON_DEPTH_MAX);
        } else if (!in_text && (c == '}' || c == ']')) {
            depth -= depth > 0;
        }
    }
    return ERR_OK;
}

/* Some editors put it in front of UTF-8; messages of the library would show it as nothing. */
static enum err_code check_mark(const char *data, size_t size, const char *place, struct err *err) {
    static const char MARK[] = "\xef\xbb\xbf";
    if (size < strlen(MARK) || memcmp(data, MARK, strlen(MARK)) != 0) return ERR_OK;
    return ERR(err, ERR_DATA,
               "%s: line 1, byte 0: a byte order mark: save the file as UTF-8 without one", place);
}

/* What to do, where the library says only what it met. */
static const char *remedy(const json_error_t *why) {
    switch (json_error_code(why)) {
    case json_error_invalid_utf8:
        return ": save the file as UTF-8";
    case json_error_null_character:
        return ": remove the character 0 from this text";
    default:
        return "";
    }
}

static enum err_code parse(struct json *root, const char *data, size_t size, size_t flags,
                           const char *place, struct err *err) {
    enum err_code rc = check_mark(data, size, place, err);
    if (rc == ERR_OK) rc = check_depth(data, size, place, err);
    if (rc != ERR_OK) return rc;
    json_error_t why;
    json_t *node = json_loadb(data, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | flags, &why);
    if (!node) {
        make_printable(why.text);
        return ERR(err, json_error_code(&why) == json_error_out_of_memory ? ERR_MEMORY : ERR_DATA,
                   "%s: line %d, byte %d: not valid JSON: %s%s", place, why.line, why.position,
                   why.text, remedy(&why));
    }
    root->node = node;
    return ERR_OK;
}

enum err_code json_parse(struct json *root, const char *data, size_t size, const char *place,
                         struct err *err) {
    return parse(root, data, size, 0, place, err);
}

enum err_code json_parse_any_text(struct json *root, const char *data, size_t size,
                                  const char *place, struct err *err) {
    return parse(root, data, size, JSON_ALLOW_NUL, place, err);
}

void json_release(struct json *root) {
    json_decref(root->node); /* NULL-safe */
    root->node = NULL;
}

enum json_kind json_kind(struct json value) {
    if (!value.node) return JSON_KIND_ABSENT;
    switch (json_typeof(value.node)) {
    case JSON_NULL:
        return JSON_KIND_NULL;
    case JSON_TRUE:
    case JSON_FALSE:
        return JSON_KIND_BOOL;
    case JSON_INTEGER:
        return JSON_KIND_INT;
    case JSON_REAL:
        return JSON_KIND_REAL;
    case JSON_STRING:
        return JSON_KIND_TEXT;
    case JSON_ARRAY:
        return JSON_KIND_ARRAY;
    case JSON_OBJECT:
        break;
    }
    return JSON_KIND_OBJECT;
}

const char *json_kind_text(enum json_kind kind) {
    static const char *const TEXTS[] = {
        [JSON_KIND_ABSENT] = "nothing", [JSON_KIND_NULL] = "null",
        [JSON_KIND_BOOL] = "a boolean", [JSON_KIND_INT] = "an integer",
        [JSON_KIND_REAL] = "a number",  [JSON_KIND_TEXT] = "a text",
        [JSON_KIND_ARRAY] = "an array", [JSON_KIND_OBJECT] = "an object",
    };
    return TEXTS[kind];
}

size_t json_count(struct json value) {
    return json_kind(value) == JSON_KIND_OBJECT ? json_object_size(value.node)
                                                : json_array_size(value.node);
}

struct json json_item(struct json array, size_t i) {
    return (struct json){json_array_get(array.node, i)};
}

struct json json_member(struct json object, const char *key) {
    return (struct json){json_object_get(object.node, key)};
}

void json_show(char out[JSON_SHOWN], struct json value) {
    switch (json_kind(value)) {
    case JSON_KIND_BOOL:
        (void)snprintf(out, JSON_SHOWN, "%s", json_is_true(value.node) ? "true" : "false");
        break;
    case JSON_KIND_INT:
        (void)snprintf(out, JSON_SHOWN, "%lld", (long long)json_integer_value(value.node));
        break;
    case JSON_KIND_REAL:
        (void)snprintf(out, JSON_SHOWN, "%.17g", json_real_value(value.node));
        break;
    case JSON_KIND_TEXT:
        (void)snprintf(out, JSON_SHOWN, "\"%.40s\"", json_string_value(value.node));
        break;
    default:
        (void)snprintf(out, JSON_SHOWN, "%s", json_kind_text(json_kind(value)));
    }
    make_printable(out);
}

void json_show_text(char out[JSON_SHOWN], const char *text) {
    (void)snprintf(out, JSON_SHOWN, "\"%.60s\"", text);
    make_printable(out);
}

enum err_code json_expect(struct json value, enum json_kind kind, const char *place,
                          struct err *err) {
    if (json_kind(value) == kind) return ERR_OK;
    char received[JSON_SHOWN];
    json_show(received, value);
    return ERR(err, ERR_DATA, "%s: expected %s, received %s", place, json_kind_text(kind),
               received);
}

enum err_code json_read_text(const char **out, struct json value, const char *place,
                             struct err *err) {
    const enum err_code rc = json_expect(value, JSON_KIND_TEXT, place, err);
    if (rc == ERR_OK) *out = json_string_value(value.node);
    return rc;
}

enum err_code json_read_sized(const char **out, size_t *size, struct json value, const char *place,
                              struct err *err) {
    const enum err_code rc = json_read_text(out, value, place, err);
    if (rc == ERR_OK) *size = json_string_length(value.node);
    return rc;
}

enum err_code json_read_bool(bool *out, struct json value, const char *place, struct err *err) {
    const enum err_code rc = json_expect(value, JSON_KIND_BOOL, place, err);
    if (rc == ERR_OK) *out = json_is_true(value.node);
    return rc;
}

enum err_code json_read_int(int64_t *out, struct json value, const char *place, struct err *err) {
    const enum err_code rc = json_expect(value, JSON_KIND_INT, place, err);
    if (rc == ERR_OK) *out = json_integer_value(value.node);
    return rc;
}

enum err_code json_read_number(double *out, struct json value, const char *place, struct err *err) {
    enum err_code rc = ERR_OK;
    if (json_kind(value) != JSON_KIND_INT) rc = json_expect(value, JSON_KIND_REAL, place, err);
    if (rc == ERR_OK) *out = json_number_value(value.node);
    return rc;
}

enum err_code json_expect_members(struct json object, const char *const *names, size_t n,
                                  const char *place, struct err *err) {
    for (struct json_walk w = {.object = object}; json_next(&w);) {
        bool known = false;
        char shown[JSON_SHOWN];
        for (size_t i = 0; i < n; i++) known = known || strcmp(names[i], w.key) == 0;
        if (known) continue;
        const char *nearest = text_nearest(w.key, names, n);
        json_show_text(shown, w.key);
        return ERR(err, ERR_DATA, "%s: unknown key %s%s%s%s", place, shown,
                   nearest ? " (did you mean " : "", nearest ? nearest : "", nearest ? "?)" : "");
    }
    return ERR_OK;
}

bool json_next(struct json_walk *w) {
    w->at = w->at ? json_object_iter_next(w->object.node, w->at) : json_object_iter(w->object.node);
    if (!w->at) return false;
    w->key = json_object_iter_key(w->at);
    w->value = (struct json){json_object_iter_value(w->at)};
    return true;
}

static bool is_number(struct json value) {
    return json_kind(value) == JSON_KIND_INT || json_kind(value) == JSON_KIND_REAL;
}

bool json_same_scalar(struct json a, struct json b) {
    if (is_number(a) && is_number(b)) return json_number_value(a.node) == json_number_value(b.node);
    const enum json_kind kind = json_kind(a);
    if (kind != json_kind(b) || kind == JSON_KIND_ARRAY || kind == JSON_KIND_OBJECT) return false;
    return json_equal(a.node, b.node);
}

void json_library(struct text *out) { text_add(out, "jansson %s", jansson_version_str()); }
