#include "run/reproduce/reproduction.h"

#include <string.h>

enum { FILE_LIMIT = 8 << 20 };

static const char *const KEYS[] = {"meaning", "scales"};
static const char *const SCALE_KEYS[] = {"config", "set",    "model",     "made_by",
                                         "source", "values", "values_of", "verify"};

enum err_code reproduction_open(struct reproduction *r, const char *path, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text content = {0};
    *r = (struct reproduction){0};
    CHECK(strlen(path) < sizeof r->path, ERR_USAGE, "%.60s...: the path is too long", path);
    (void)strcpy(r->path, path);
    TRY(file_read(&content, path, FILE_LIMIT, err));
    TRY(json_parse(&r->root, text_str(&content), content.size, path, err));
    TRY(json_expect_members(r->root, KEYS, sizeof KEYS / sizeof *KEYS, path, err));
    TRY(json_read_text(&r->meaning, json_member(r->root, "meaning"), path, err));
    TRY(json_expect(json_member(r->root, "scales"), JSON_KIND_OBJECT, path, err));
cleanup:
    text_release(&content);
    if (rc != ERR_OK) reproduction_close(r);
    return rc;
}

void reproduction_close(struct reproduction *r) { json_release(&r->root); }

void reproduction_scale_names(struct text *out, const struct reproduction *r) {
    const char *comma = "";
    for (struct json_walk w = {.object = json_member(r->root, "scales")}; json_next(&w);) {
        text_add(out, "%s%s", comma, w.key);
        comma = ", ";
    }
}

static enum err_code unknown_scale(const struct reproduction *r, const char *name,
                                   struct err *err) {
    struct text names = {0};
    reproduction_scale_names(&names, r);
    const enum err_code rc = ERR(err, ERR_USAGE, "--scale %s: %s has no such scale; it has %s",
                                 name, r->path, text_str(&names));
    text_release(&names);
    return rc;
}

/* An optional text; "" where it is absent. */
static enum err_code read_text(const char **out, struct json object, const char *key,
                               const char *path, struct err *err) {
    const struct json value = json_member(object, key);
    *out = "";
    return value.node ? json_read_text(out, value, path, err) : ERR_OK;
}

static enum err_code read_path(char out[FILE_PATH_MAX], struct json object, const char *key,
                               const char *path, struct err *err) {
    enum err_code rc = ERR_OK;
    const char *word;
    *out = '\0';
    TRY(read_text(&word, object, key, path, err));
    if (*word) TRY(file_resolve(out, path, word, err));
cleanup:
    return rc;
}

/* Its own values, or those of the scale that values_of names. */
static enum err_code read_values(struct json *out, const struct reproduction *r, struct json scale,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    const char *other;
    TRY(read_text(&other, scale, "values_of", r->path, err));
    if (*other) scale = json_member(json_member(r->root, "scales"), other);
    *out = json_member(scale, "values");
    TRY(json_expect(*out, JSON_KIND_ARRAY, r->path, err));
cleanup:
    return rc;
}

enum err_code reproduction_find_scale(struct reproduction_scale *out, const struct reproduction *r,
                                      const char *name, struct err *err) {
    enum err_code rc = ERR_OK;
    struct json_walk w = {.object = json_member(r->root, "scales")};
    bool found = false;
    while (!found && json_next(&w)) found = !name || strcmp(w.key, name) == 0;
    if (!found) return unknown_scale(r, name ? name : "", err);
    *out = (struct reproduction_scale){.name = w.key,
                                       .set = json_member(w.value, "set"),
                                       .verify = json_member(w.value, "verify")};
    TRY(json_expect_members(w.value, SCALE_KEYS, sizeof SCALE_KEYS / sizeof *SCALE_KEYS, r->path,
                            err));
    TRY(read_text(&out->made_by, w.value, "made_by", r->path, err));
    TRY(read_text(&out->source, w.value, "source", r->path, err));
    TRY(read_path(out->config, w.value, "config", r->path, err));
    TRY(read_path(out->model, w.value, "model", r->path, err));
    CHECK((*out->config != '\0') != (out->verify.node != NULL), ERR_DATA,
          "%s: scale %s needs either config or verify", r->path, w.key);
    if (*out->config)
        TRY(read_values(&out->values, r, w.value, err));
    else
        TRY(json_expect(out->verify, JSON_KIND_ARRAY, r->path, err));
cleanup:
    return rc;
}
