#include "model/hf/hf_keys.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

static struct json value_of(const struct hf_source *s, const struct hf_spelling *spelling) {
    struct json object = s->root;
    if (spelling->section) object = json_member(object, spelling->section);
    const struct json value = json_member(object, spelling->key);
    return json_kind(value) == JSON_KIND_NULL ? (struct json){0} : value;
}

static void show_spelling(char out[HF_PLACE], const struct hf_spelling *spelling) {
    (void)snprintf(out, HF_PLACE, "%s%s%s", spelling->section ? spelling->section : "",
                   spelling->section ? "." : "", spelling->key);
}

static enum err_code report_disagreement(const struct hf_source *s, const struct hf_spelling *one,
                                         const struct hf_spelling *other, struct err *err) {
    char a[JSON_SHOWN], b[JSON_SHOWN], first[HF_PLACE], second[HF_PLACE];
    json_show(a, value_of(s, one));
    json_show(b, value_of(s, other));
    show_spelling(first, one);
    show_spelling(second, other);
    return ERR(err, ERR_DATA, "%.500s: %.60s is %s, but %.60s is %s: remove the one that is wrong",
               s->place, first, a, second, b);
}

enum err_code hf_find(struct json *out, char place[HF_PLACE], const struct hf_source *s,
                      const struct hf_key *key, struct err *err) {
    const struct hf_spelling *found = NULL;
    *out = (struct json){0};
    for (const struct hf_spelling *at = key->spellings; at->key; at++) {
        const struct json value = value_of(s, at);
        if (json_kind(value) == JSON_KIND_ABSENT) continue;
        if (found && !json_same_scalar(*out, value)) return report_disagreement(s, found, at, err);
        if (found) continue;
        found = at;
        *out = value;
    }
    char name[HF_PLACE];
    show_spelling(name, found ? found : key->spellings);
    (void)snprintf(place, HF_PLACE, "%.700s: %.200s", s->place, name);
    return ERR_OK;
}

void hf_note(const struct hf_source *s, const char *fmt, ...) {
    char line[256];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    text_add(s->defaulted, "%s%s", s->defaulted->size > 0 ? ", " : "", line);
}

static enum err_code report_missing(const struct hf_source *s, const struct hf_key *key,
                                    struct err *err) {
    const struct hf_spelling *other = key->spellings + 1;
    const bool has_other = other->key && !other->section;
    return ERR(err, ERR_DATA,
               "%s: lacks %s%s%s%s: use the config.json that was published with the "
               "model",
               s->place, key->spellings->key, has_other ? " (or " : "", has_other ? other->key : "",
               has_other ? ")" : "");
}

enum err_code hf_read_size(size_t *out, const struct hf_source *s, const struct hf_key *key,
                           size_t most, size_t fallback, struct err *err) {
    enum err_code rc = ERR_OK;
    char place[HF_PLACE];
    struct json value;
    int64_t number = 0;
    TRY(hf_find(&value, place, s, key, err));
    if (json_kind(value) == JSON_KIND_ABSENT) {
        if (fallback == HF_REQUIRED) return report_missing(s, key, err);
        *out = fallback;
        hf_note(s, "%s %zu", key->spellings->key, fallback);
        return ERR_OK;
    }
    TRY(json_read_int(&number, value, place, err));
    CHECK(number >= 1 && (uint64_t)number <= most, ERR_DATA, "%s: %lld is out of bounds (1 to %zu)",
          place, (long long)number, most);
    *out = (size_t)number;
cleanup:
    return rc;
}

enum err_code hf_read_real(double *out, const struct hf_source *s, const struct hf_key *key,
                           double least, double most, double fallback, struct err *err) {
    enum err_code rc = ERR_OK;
    char place[HF_PLACE];
    struct json value;
    double number = 0;
    TRY(hf_find(&value, place, s, key, err));
    if (json_kind(value) == JSON_KIND_ABSENT) {
        if (fallback == HF_REQUIRED) return report_missing(s, key, err);
        *out = fallback;
        hf_note(s, "%s %g", key->spellings->key, fallback);
        return ERR_OK;
    }
    TRY(json_read_number(&number, value, place, err));
    CHECK(number >= least && number <= most, ERR_DATA, "%s: %g is out of bounds (%g to %g)", place,
          number, least, most);
    *out = number;
cleanup:
    return rc;
}

enum err_code hf_read_flag(bool *out, const struct hf_source *s, const struct hf_key *key,
                           bool fallback, struct err *err) {
    enum err_code rc = ERR_OK;
    char place[HF_PLACE];
    struct json value;
    TRY(hf_find(&value, place, s, key, err));
    *out = fallback;
    if (json_kind(value) != JSON_KIND_ABSENT) TRY(json_read_bool(out, value, place, err));
cleanup:
    return rc;
}

enum err_code hf_read_word(const char **out, const struct hf_source *s, const struct hf_key *key,
                           const char *fallback, struct err *err) {
    enum err_code rc = ERR_OK;
    char place[HF_PLACE];
    struct json value;
    TRY(hf_find(&value, place, s, key, err));
    if (json_kind(value) == JSON_KIND_ABSENT) {
        *out = fallback;
        hf_note(s, "%s %s", key->spellings->key, fallback);
        return ERR_OK;
    }
    TRY(json_read_text(out, value, place, err));
cleanup:
    return rc;
}
