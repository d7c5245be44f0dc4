#include "config/syntax/node.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void place_text(char out[PLACE_TEXT], struct place at) {
    if (at.line > 0)
        (void)snprintf(out, PLACE_TEXT, "%.230s:%d", at.file, at.line);
    else
        (void)snprintf(out, PLACE_TEXT, "%s", at.file);
}

/* Control characters in strings of the config must not break a message into lines. */
static void keep_one_line(char *s) {
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f) *s = '?';
}

static enum err_code set_error(struct err *err, enum err_code code, struct place at,
                               const char *stage, const char *key, const char *fmt, va_list args) {
    char where[PLACE_TEXT], message[512], name[256] = "";
    (void)vsnprintf(message, sizeof message, fmt, args);
    place_text(where, at);
    if (stage || key)
        (void)snprintf(name, sizeof name, "%.80s%s%.120s: ", stage ? stage : "",
                       stage && key ? "." : "", key ? key : "");
    keep_one_line(where);
    keep_one_line(name);
    keep_one_line(message);
    return ERR(err, code, "%s: %s%s", where, name, message);
}

enum err_code place_error(struct err *err, struct place at, const char *stage, const char *key,
                          const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    const enum err_code rc = set_error(err, ERR_CONFIG, at, stage, key, fmt, args);
    va_end(args);
    return rc;
}

enum err_code place_unreadable(struct err *err, struct place at, const char *stage, const char *key,
                               const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    const enum err_code rc =
        set_error(err, at.line > 0 ? ERR_CONFIG : ERR_USAGE, at, stage, key, fmt, args);
    va_end(args);
    return rc;
}

struct node *node_new(struct pool *p, enum node_kind kind, const char *name, struct place at) {
    struct node *n = pool_take(p, 1, sizeof *n);
    if (!n) return NULL;
    n->kind = kind;
    n->name = name;
    n->place = at;
    n->text = "";
    return n;
}

enum err_code node_add(struct node *parent, struct node *child, struct pool *p, struct err *err) {
    enum err_code rc = ERR_OK;
    CHECK(child, ERR_MEMORY, "no memory for the configuration");
    if (parent->n == parent->capacity) {
        const size_t capacity = parent->capacity ? 2 * parent->capacity : 8;
        struct node **items;
        TAKE(items, p, capacity);
        if (parent->n > 0) memcpy(items, parent->items, parent->n * sizeof *items);
        parent->items = items;
        parent->capacity = capacity;
    }
    parent->items[parent->n++] = child;
cleanup:
    return rc;
}

static struct node **slot(const struct node *group, const char *name) {
    for (size_t i = 0; i < group->n; i++)
        if (group->items[i]->name && strcmp(group->items[i]->name, name) == 0)
            return &group->items[i];
    return NULL;
}

struct node *node_find(const struct node *group, const char *name) {
    struct node **found = slot(group, name);
    return found ? *found : NULL;
}

static enum err_code replace(struct node *group, struct node *child, struct pool *p,
                             struct err *err) {
    struct node **found = child ? slot(group, child->name) : NULL;
    if (!found) return node_add(group, child, p, err);
    *found = child;
    return ERR_OK;
}

enum err_code node_put(struct node *group, const char *path, struct node *leaf, struct pool *p,
                       struct err *err) {
    enum err_code rc = ERR_OK;
    const char *dot;
    CHECK(leaf, ERR_MEMORY, "no memory for the configuration");
    for (; (dot = strchr(path, '.')) != NULL; path = dot + 1) {
        const char *name = pool_copy(p, path, (size_t)(dot - path));
        CHECK(name, ERR_MEMORY, "no memory for the configuration");
        struct node *next = node_find(group, name);
        if (!next || next->kind != NODE_GROUP) {
            next = node_new(p, NODE_GROUP, name, leaf->place);
            TRY(replace(group, next, p, err));
        }
        group = next;
    }
    leaf->name = path;
    TRY(replace(group, leaf, p, err));
cleanup:
    return rc;
}

enum err_code node_overlay(struct node *base, const struct node *over, struct pool *p,
                           struct err *err) {
    enum err_code rc = ERR_OK;
    assert(base->kind == NODE_GROUP && over->kind == NODE_GROUP);
    for (size_t i = 0; i < over->n; i++) {
        struct node *item = over->items[i];
        struct node *old = node_find(base, item->name);
        if (old && old->kind == NODE_GROUP && item->kind == NODE_GROUP)
            TRY(node_overlay(old, item, p, err));
        else
            TRY(replace(base, item, p, err));
    }
cleanup:
    return rc;
}

bool node_is_plain(const struct node *n) {
    return n->kind != NODE_GROUP && n->kind != NODE_LIST && n->kind != NODE_ARRAY;
}

bool node_is_text(const struct node *n) { return n->kind == NODE_STRING || n->kind == NODE_WORD; }

static enum err_code add_leaf(struct leaves *out, const char *path, const struct node *node,
                              struct pool *p, struct err *err) {
    enum err_code rc = ERR_OK;
    if (out->n == out->capacity) {
        const size_t capacity = out->capacity ? 2 * out->capacity : 16;
        struct leaf *items;
        TAKE(items, p, capacity);
        if (out->n > 0) memcpy(items, out->items, out->n * sizeof *items);
        out->items = items;
        out->capacity = capacity;
    }
    out->items[out->n++] = (struct leaf){path, node};
cleanup:
    return rc;
}

enum err_code node_leaves(struct leaves *out, const struct node *group, const char *prefix,
                          struct pool *p, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text path = {0};
    for (size_t i = 0; i < group->n; i++) {
        const struct node *item = group->items[i];
        text_clear(&path);
        text_add(&path, "%s%s%s", prefix, *prefix ? "." : "", item->name);
        TRY(text_check(&path, err));
        const char *whole = pool_copy(p, path.data, path.size);
        CHECK(whole, ERR_MEMORY, "no memory for the configuration");
        if (item->kind == NODE_GROUP && item->n > 0)
            TRY(node_leaves(out, item, whole, p, err));
        else
            TRY(add_leaf(out, whole, item, p, err));
    }
cleanup:
    text_release(&path);
    return rc;
}
