/*
 * axes.c - axes_build(): zip, list and exclude, and the order of all axes.
 *
 * Axes of several keys (zip, list) are collected first, since their keys may be anywhere in the
 * schema; put_in_order() then walks the schema once and gives every axis the place of its first
 * key.
 */
#include "config/axes.h"

#include <string.h>

#include "config/stage_entry.h"

/* The axes of several keys (zip, list) while they are read, before put_in_order() places them. */
struct grouped {
    struct entry *entry;
    struct pool *pool;
    struct err *err;
    struct axis *axes;
    size_t n;
    size_t *member; /* [n_keys]: the axis in `axes` that the key belongs to; KEY_NONE: none */
};

#define FAULT(g, node, key, ...)                                                                   \
    place_error((g)->err, (node)->place, (g)->entry->name, (key), __VA_ARGS__)

static enum err_code expect(const struct grouped *g, const struct node *node, enum node_kind kind,
                            const char *key, const char *form) {
    char shown[SHOW_TEXT];
    if (node->kind == kind) return ERR_OK;
    node_show(shown, node);
    return FAULT(g, node, key, "expected %s, received %s", form, shown);
}

/* Key k becomes a member of the axis that is being read, number g->n. */
static enum err_code join(struct grouped *g, const struct node *node, size_t k, const char *what) {
    const struct config_key *row = g->entry->keys[k].row;
    if (!(row->flags & CONFIG_AXIS))
        return FAULT(g, node, what, "%s is not an axis: it has one value in a stage", row->name);
    if (g->member[k] != KEY_NONE && g->member[k] != g->n)
        return FAULT(g, node, what, "%s is already in another zip or in list", row->name);
    g->member[k] = g->n;
    return ERR_OK;
}

/* Ends the axis g->n: its keys are those that joined it, in schema order. */
static enum err_code take_members(struct grouped *g, struct axis *a) {
    enum err_code rc = ERR_OK;
    struct err *err = g->err;
    size_t *keys;
    TAKE(keys, g->pool, g->entry->n_keys + 1);
    for (size_t k = 0; k < g->entry->n_keys; k++)
        if (g->member[k] == g->n) keys[a->n_keys++] = k;
    a->keys = keys;
    TAKE(a->at, g->pool, a->n * a->n_keys + 1);
    g->n++;
cleanup:
    return rc;
}

static enum err_code zip_lengths(const struct grouped *g, const struct node *zip) {
    const struct key *first = NULL;
    for (size_t i = 0; i < zip->n; i++) {
        const struct key *key = &g->entry->keys[entry_index(g->entry, zip->items[i]->text)];
        if (!first) first = key;
        if (key->own != first->own)
            return FAULT(g, zip->items[i], "zip", "unequal lengths: %s has %zu, %s has %zu",
                         first->row->name, first->own, key->row->name, key->own);
    }
    return ERR_OK;
}

static enum err_code read_zip(struct grouped *g, const struct node *zip) {
    enum err_code rc = ERR_OK;
    struct axis *a = &g->axes[g->n];
    TRY(expect(g, zip, NODE_ARRAY, "zip", "an array [\"KEY\", \"KEY\"]"));
    if (zip->n < 2) TRY(FAULT(g, zip, "zip", "expected two keys or more, received %zu", zip->n));
    for (size_t i = 0; i < zip->n; i++) {
        const struct node *name = zip->items[i];
        size_t k = KEY_NONE;
        TRY(expect(g, name, NODE_STRING, "zip", "the name of a key"));
        TRY(stage_entry_find(&k, g->entry, &(struct leaf){name->text, name}, g->err));
        if (g->member[k] == g->n) TRY(FAULT(g, name, "zip", "%s is named twice", name->text));
        TRY(join(g, name, k, "zip"));
        g->entry->keys[k].inherited = false; /* named here, so it has to exist here */
    }
    TRY(zip_lengths(g, zip));
    a->kind = AXIS_ZIP;
    a->n = g->entry->keys[entry_index(g->entry, zip->items[0]->text)].own;
    TRY(take_members(g, a));
    for (size_t i = 0; i < a->n * a->n_keys; i++) a->at[i] = (uint32_t)(i / a->n_keys + 1);
cleanup:
    return rc;
}

static enum err_code read_zips(struct grouped *g, const struct node *zip) {
    enum err_code rc = ERR_OK;
    if (!zip) return ERR_OK;
    if (zip->kind == NODE_ARRAY) return read_zip(g, zip);
    TRY(expect(g, zip, NODE_LIST, "zip", "a list ( [\"KEY\", \"KEY\"], ... )"));
    for (size_t i = 0; i < zip->n; i++) TRY(read_zip(g, zip->items[i]));
cleanup:
    return rc;
}

/* The keys of one { } of `list` or `exclude`. */
static enum err_code read_combination(struct leaves *out, const struct grouped *g,
                                      const struct node *node, const char *what) {
    enum err_code rc = ERR_OK;
    TRY(expect(g, node, NODE_GROUP, what, "a group { KEY = VALUE; ... }"));
    if (node->n == 0) TRY(FAULT(g, node, what, "an empty { }: give KEY = VALUE"));
    TRY(node_leaves(out, node, "", g->pool, g->err));
cleanup:
    return rc;
}

static enum err_code add_value(uint32_t *at, struct key *key, const struct value *v, struct pool *p,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    if (key->n == key->capacity) {
        const size_t capacity = 2 * key->capacity + 8;
        struct value *values;
        TAKE(values, p, capacity);
        if (key->n > 0) memcpy(values, key->values, key->n * sizeof *values);
        key->values = values;
        key->capacity = capacity;
    }
    key->values[key->n++] = *v;
    *at = (uint32_t)key->n;
cleanup:
    return rc;
}

static size_t position(const struct axis *a, size_t k) {
    size_t i = 0;
    while (a->keys[i] != k) i++;
    return i;
}

/* Fills `at` with the numbers of one entry of the list: each of its values is appended to the
 * values of its key, and its index + 1 is the number. */
static enum err_code fill_combination(const struct grouped *g, uint32_t *at, const struct axis *a,
                                      const struct leaves *leaves) {
    enum err_code rc = ERR_OK;
    struct entry *e = g->entry;
    const struct value_reader r = {g->pool, e->name, NULL, g->err};
    for (size_t i = 0; i < leaves->n; i++) {
        struct value v;
        const struct leaf *leaf = &leaves->items[i];
        struct key *key = &e->keys[entry_index(e, leaf->path)];
        if (value_is_axis(key->row, leaf->node))
            TRY(FAULT(g, leaf->node, leaf->path, "an entry of list takes one value per key"));
        TRY(value_read(&v, key->row, leaf->node, &r));
        TRY(add_value(&at[position(a, entry_index(e, leaf->path))], key, &v, g->pool, g->err));
    }
cleanup:
    return rc;
}

/* If the stage also sets a key of the list, that value is the fallback for the entries that omit
 * the key. So the stage must give one value, and some entry must omit the key. */
static enum err_code check_fallbacks(const struct grouped *g, const struct axis *a) {
    for (size_t i = 0; i < a->n_keys; i++) {
        struct key *key = &g->entry->keys[a->keys[i]];
        bool used = false;
        for (size_t j = 0; j < a->n; j++) used = used || a->at[j * a->n_keys + i] == 0;
        if (key->own > 1)
            return FAULT(g, key->given ? key->given : g->entry->tree, key->row->name,
                         "an axis of its own and also in list: choose one");
        if (key->given && !key->inherited && !used)
            return FAULT(g, key->given, key->row->name,
                         "has no effect: every entry of list sets it");
    }
    return ERR_OK;
}

static enum err_code read_list(struct grouped *g, const struct node *list) {
    enum err_code rc = ERR_OK;
    struct err *err = g->err;
    struct leaves *leaves;
    if (!list) return ERR_OK;
    struct axis *a = &g->axes[g->n];
    TRY(expect(g, list, NODE_LIST, "list", "a list ( { KEY = VALUE; ... }, ... )"));
    if (list->n == 0) TRY(FAULT(g, list, "list", "an empty axis: give one entry or more"));
    TAKE(leaves, g->pool, list->n);
    for (size_t i = 0; i < list->n; i++) {
        TRY(read_combination(&leaves[i], g, list->items[i], "list"));
        for (size_t j = 0; j < leaves[i].n; j++) {
            size_t k = KEY_NONE;
            TRY(stage_entry_find(&k, g->entry, &leaves[i].items[j], err));
            if (k == KEY_NONE)
                TRY(FAULT(g, leaves[i].items[j].node, "list", "an empty group sets nothing"));
            TRY(join(g, leaves[i].items[j].node, k, "list"));
        }
    }
    a->kind = AXIS_LIST;
    a->n = list->n;
    TRY(take_members(g, a));
    for (size_t i = 0; i < list->n; i++)
        TRY(fill_combination(g, &a->at[i * a->n_keys], a, &leaves[i]));
    TRY(check_fallbacks(g, a));
cleanup:
    return rc;
}

static enum err_code read_excluded(struct excluded *x, const struct grouped *g,
                                   const struct node *node) {
    enum err_code rc = ERR_OK;
    struct err *err = g->err;
    struct leaves leaves = {0};
    size_t *keys;
    const struct value_reader r = {g->pool, g->entry->name, NULL, err};
    TRY(read_combination(&leaves, g, node, "exclude"));
    TAKE(keys, g->pool, leaves.n);
    TAKE(x->values, g->pool, leaves.n);
    TAKE(x->counts, g->pool, leaves.n);
    for (size_t i = 0; i < leaves.n; i++) {
        TRY(stage_entry_find(&keys[i], g->entry, &leaves.items[i], err));
        if (keys[i] == KEY_NONE)
            TRY(FAULT(g, leaves.items[i].node, "exclude", "an empty group matches nothing"));
        TRY(stage_entry_read(&x->values[i], &x->counts[i], g->entry->keys[keys[i]].row,
                             leaves.items[i].node, &r));
    }
    x->place = node->place;
    x->keys = keys;
    x->n = leaves.n;
cleanup:
    return rc;
}

static enum err_code read_exclude(struct grouped *g, const struct node *exclude) {
    enum err_code rc = ERR_OK;
    struct err *err = g->err;
    if (!exclude) return ERR_OK;
    TRY(expect(g, exclude, NODE_LIST, "exclude", "a list ( { KEY = VALUE; ... }, ... )"));
    TAKE(g->entry->excluded, g->pool, exclude->n + 1);
    for (size_t i = 0; i < exclude->n; i++)
        TRY(read_excluded(&g->entry->excluded[g->entry->n_excluded++], g, exclude->items[i]));
cleanup:
    return rc;
}

static enum err_code plain_axis(struct axis *a, size_t k, size_t n, struct grouped *g) {
    enum err_code rc = ERR_OK;
    struct err *err = g->err;
    size_t *keys;
    TAKE(keys, g->pool, 1);
    keys[0] = k;
    *a = (struct axis){.kind = AXIS_KEY, .n = n, .n_keys = 1, .keys = keys};
    TAKE(a->at, g->pool, n);
    for (size_t i = 0; i < n; i++) a->at[i] = (uint32_t)(i + 1);
cleanup:
    return rc;
}

/* All axes in the order of their first keys. */
static enum err_code put_in_order(struct grouped *g) {
    enum err_code rc = ERR_OK;
    struct entry *e = g->entry;
    struct err *err = g->err;
    TAKE(e->axes, g->pool, e->n_keys + 1);
    for (size_t k = 0; k < e->n_keys; k++) {
        if (e->keys[k].axis != KEY_NONE) continue;
        if (g->member[k] != KEY_NONE)
            e->axes[e->n_axes] = g->axes[g->member[k]];
        else if (e->keys[k].own > 1)
            TRY(plain_axis(&e->axes[e->n_axes], k, e->keys[k].own, g));
        else
            continue;
        const struct axis *a = &e->axes[e->n_axes];
        for (size_t i = 0; i < a->n_keys; i++) e->keys[a->keys[i]].axis = e->n_axes;
        e->n_axes++;
    }
cleanup:
    return rc;
}

enum err_code axes_build(struct entry *e, struct pool *p, struct err *err) {
    enum err_code rc = ERR_OK;
    struct grouped g = {.entry = e, .pool = p, .err = err};
    TAKE(g.axes, p, e->n_keys + 2);
    TAKE(g.member, p, e->n_keys + 1);
    for (size_t k = 0; k < e->n_keys; k++) g.member[k] = KEY_NONE;
    TRY(read_zips(&g, node_find(e->tree, "zip")));
    TRY(read_list(&g, node_find(e->tree, "list")));
    TRY(read_exclude(&g, node_find(e->tree, "exclude")));
    TRY(put_in_order(&g));
cleanup:
    return rc;
}
