#include "config/syntax/tree.h"

#include <assert.h>
#include <libconfig.h>
#include <string.h>

#include "base/file.h"
#include "config/syntax/scan.h"

struct reader {
    struct pool *pool;
    const char *file;
    struct err *err;
};

static enum node_kind kind_of(const config_setting_t *s) {
    switch (config_setting_type(s)) {
    case CONFIG_TYPE_GROUP:
        return NODE_GROUP;
    case CONFIG_TYPE_LIST:
        return NODE_LIST;
    case CONFIG_TYPE_ARRAY:
        return NODE_ARRAY;
    case CONFIG_TYPE_BOOL:
        return NODE_BOOL;
    default:
        break;
    }
    assert(config_setting_type(s) == CONFIG_TYPE_STRING); /* the scan left no other */
    return config_setting_get_string(s)[0] == SCAN_NUMBER ? NODE_NUMBER : NODE_STRING;
}

static const char *plain_text(const config_setting_t *s, struct pool *p) {
    if (config_setting_type(s) == CONFIG_TYPE_BOOL)
        return config_setting_get_bool(s) ? "true" : "false";
    const char *text = config_setting_get_string(s) + 1;
    return pool_copy(p, text, strlen(text));
}

static enum err_code convert(struct node **out, const config_setting_t *s, struct reader *r) {
    enum err_code rc = ERR_OK;
    struct err *err = r->err;
    const enum node_kind kind = kind_of(s);
    const char *name = NULL;
    if (config_setting_name(s)) {
        name = pool_copy(r->pool, config_setting_name(s), strlen(config_setting_name(s)));
        CHECK(name, ERR_MEMORY, "no memory for the configuration");
    }
    const struct place at = {r->file, (int)config_setting_source_line(s)};
    struct node *n = node_new(r->pool, kind, name, at);
    CHECK(n, ERR_MEMORY, "no memory for the configuration");
    if (node_is_plain(n)) {
        n->text = plain_text(s, r->pool);
        CHECK(n->text, ERR_MEMORY, "no memory for the configuration");
    }
    const int length = node_is_plain(n) ? 0 : config_setting_length(s);
    for (int i = 0; i < length; i++) {
        struct node *item = NULL;
        TRY(convert(&item, config_setting_get_elem(s, (unsigned)i), r));
        TRY(node_add(n, item, r->pool, err));
    }
    *out = n;
cleanup:
    return rc;
}

/* An error that libconfig finds after the scan. */
static enum err_code parse_error(const config_t *c, const char *file, struct err *err) {
    const struct place at = {file, config_error_line(c)};
    const char *text = config_error_text(c);
    if (strstr(text, "array"))
        return place_error(err, at, NULL, NULL,
                           "%s: an array [ ] holds values of one kind; a list ( ) may mix", text);
    return place_error(err, at, NULL, NULL,
                       "%s: expected KEY = VALUE; with VALUE one of 1, 0.5, true, \"text\", [ ... "
                       "], ( ... ), { ... }",
                       text);
}

static enum err_code read_file(struct text *out, const char *path, struct err *err) {
    const enum err_code rc = file_read(out, path, SCAN_LARGEST, err);
    if (rc == ERR_IO || rc == ERR_DATA) {
        if (err) err->code = ERR_CONFIG;
        return ERR_CONFIG;
    }
    return rc;
}

enum err_code tree_read(struct node **out, struct pool *p, const char *path, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text source = {0}, text = {0};
    config_t c;
    config_init(&c);
    const char *file = pool_copy(p, path, strlen(path));
    CHECK(file, ERR_MEMORY, "no memory for the configuration");
    TRY(read_file(&source, path, err));
    TRY(scan_text(&text, &source, file, err));
    if (!config_read_string(&c, text_str(&text))) TRY(parse_error(&c, file, err));
    TRY(convert(out, config_root_setting(&c), &(struct reader){p, file, err}));
cleanup:
    config_destroy(&c);
    text_release(&text);
    text_release(&source);
    return rc;
}

void tree_library(struct text *out) {
    text_add(out, "libconfig %d.%d.%d", LIBCONFIG_VER_MAJOR, LIBCONFIG_VER_MINOR,
             LIBCONFIG_VER_REVISION);
}
