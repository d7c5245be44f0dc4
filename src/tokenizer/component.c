#include "tokenizer/component.h"

#include <stdio.h>
#include <string.h>

#include "tokenizer/unicode.h"

const char *component_place(char out[COMPONENT_PLACE], const struct component *c) {
    (void)snprintf(out, COMPONENT_PLACE, "%.400s: %s %.40s", c->file, c->part, c->type);
    return out;
}

enum err_code component_keys(const struct component *c, const char *const *keys, struct err *err) {
    char place[COMPONENT_PLACE];
    for (struct json_walk w = {.object = c->object}; json_next(&w);) {
        bool known = strcmp(w.key, "type") == 0;
        for (size_t i = 0; keys[i] && !known; i++) known = strcmp(w.key, keys[i]) == 0;
        if (!known)
            return ERR(err, ERR_DATA, "%s: the option '%.60s' is not supported",
                       component_place(place, c), w.key);
    }
    return ERR_OK;
}

enum err_code component_refuse(const struct component *c, const char *supported, struct err *err) {
    return ERR(err, ERR_DATA, "%.400s: %s: the type '%.60s' is not supported; supported: %s",
               c->file, c->part, c->type, supported);
}

/* The text of `type`. */
static enum err_code read_type(struct component *c, struct err *err) {
    enum err_code rc = ERR_OK;
    char place[COMPONENT_PLACE];
    c->type = "";
    (void)snprintf(place, sizeof place, "%.400s: %s", c->file, c->part);
    TRY(json_expect(c->object, JSON_KIND_OBJECT, place, err));
    (void)snprintf(place, sizeof place, "%.400s: %s: type", c->file, c->part);
    TRY(json_read_text(&c->type, json_member(c->object, "type"), place, err));
cleanup:
    return rc;
}

/* Depth is bounded by JSON_DEPTH_MAX. */
static enum err_code append_component(struct component_list *out, const struct component *c,
                                      const char *members, struct err *err) {
    enum err_code rc = ERR_OK;
    char place[COMPONENT_PLACE];
    if (strcmp(c->type, "Sequence") != 0) {
        CHECK(out->n < COMPONENTS_MAX, ERR_DATA, "%.400s: %s: more than %d components", c->file,
              c->part, COMPONENTS_MAX);
        out->items[out->n++] = *c;
        return ERR_OK;
    }
    const char *const keys[] = {members, NULL};
    TRY(component_keys(c, keys, err));
    const struct json list = json_member(c->object, members);
    TRY(json_expect(list, JSON_KIND_ARRAY, component_place(place, c), err));
    for (size_t i = 0; i < json_count(list); i++) {
        struct component member = {json_item(list, i), c->file, c->part, ""};
        TRY(read_type(&member, err));
        TRY(append_component(out, &member, members, err));
    }
cleanup:
    return rc;
}

enum err_code component_list_read(struct component_list *out, struct json value, const char *file,
                                  const char *part, const char *members, struct err *err) {
    enum err_code rc = ERR_OK;
    struct component c = {value, file, part, ""};
    out->n = 0;
    if (json_kind(value) == JSON_KIND_NULL || json_kind(value) == JSON_KIND_ABSENT) return ERR_OK;
    TRY(read_type(&c, err));
    TRY(append_component(out, &c, members, err));
cleanup:
    return rc;
}

/* "FILE: PART TYPE: KEY" */
static const char *option_place(char out[COMPONENT_PLACE], const struct component *c,
                                const char *key) {
    (void)snprintf(out, COMPONENT_PLACE, "%.400s: %s %.40s: %s", c->file, c->part, c->type, key);
    return out;
}

bool component_is_unset(const struct component *c, const char *key) {
    const enum json_kind kind = json_kind(json_member(c->object, key));
    return kind == JSON_KIND_ABSENT || kind == JSON_KIND_NULL;
}

enum err_code component_bool(bool *out, const struct component *c, const char *key,
                             struct err *err) {
    char place[COMPONENT_PLACE];
    const struct json value = json_member(c->object, key);
    if (component_is_unset(c, key)) return ERR_OK;
    return json_read_bool(out, value, option_place(place, c, key), err);
}

enum err_code component_text(const char **out, const struct component *c, const char *key,
                             struct err *err) {
    char place[COMPONENT_PLACE];
    return json_read_text(out, json_member(c->object, key), option_place(place, c, key), err);
}

enum err_code component_count(size_t *out, const struct component *c, const char *key,
                              struct err *err) {
    enum err_code rc = ERR_OK;
    char place[COMPONENT_PLACE];
    int64_t value = 0;
    TRY(json_read_int(&value, json_member(c->object, key), option_place(place, c, key), err));
    CHECK(value >= 0 && value <= 1000, ERR_DATA, "%s: expected 0 to 1000, received %lld", place,
          (long long)value);
    *out = (size_t)value;
cleanup:
    return rc;
}

enum err_code component_choice(int *out, const struct component *c, const char *key,
                               const char *const *names, struct err *err) {
    enum err_code rc = ERR_OK;
    char place[COMPONENT_PLACE];
    const char *text = NULL;
    if (json_kind(json_member(c->object, key)) == JSON_KIND_ABSENT) return ERR_OK;
    TRY(component_text(&text, c, key, err));
    for (int i = 0; names[i]; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        *out = i;
        return ERR_OK;
    }
    CHECK(false, ERR_DATA, "%s: '%.60s' is not supported", option_place(place, c, key), text);
cleanup:
    return rc;
}

enum err_code component_character(char out[5], const struct component *c, const char *key,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    char place[COMPONENT_PLACE];
    const char *text = NULL;
    size_t at = 0;
    TRY(component_text(&text, c, key, err));
    if (*text) (void)unicode_next(text, &at);
    CHECK(at > 0 && text[at] == '\0', ERR_DATA, "%s: expected one character, received '%.60s'",
          option_place(place, c, key), text);
    memcpy(out, text, at + 1);
cleanup:
    return rc;
}

enum err_code component_pattern(struct token_pattern **out, const struct component *c,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    char place[COMPONENT_PLACE];
    const char *text = NULL;
    const struct json pattern = json_member(c->object, "pattern");
    TRY(json_expect(pattern, JSON_KIND_OBJECT, option_place(place, c, "pattern"), err));
    const struct json regex = json_member(pattern, "Regex"),
                      literal = json_member(pattern, "String");
    const bool is_regex = json_kind(regex) != JSON_KIND_ABSENT;
    CHECK(json_count(pattern) == 1 && (is_regex || json_kind(literal) != JSON_KIND_ABSENT),
          ERR_DATA, "%s: expected {\"String\": TEXT} or {\"Regex\": TEXT}", place);
    TRY(json_read_text(&text, is_regex ? regex : literal, place, err));
    TRY((is_regex ? token_pattern_regex : token_pattern_literal)(out, text, place, err));
cleanup:
    return rc;
}
