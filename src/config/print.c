/*
 * print.c - config_print(): a config with every default, as a file that opens to the same config.
 *
 * Top-level groups are written into each stage. Only keys that some point has are printed, and a
 * key that every entry of `list` sets is printed there alone.
 */
#include <string.h>

#include "config/resolved.h"

struct printer {
    const struct entry *entry;
    struct pool pool; /* of the nodes that are printed */
    struct err err;
};

static struct node *text_node(struct pool *p, const char *text, enum node_kind kind) {
    struct node *n = node_new(p, kind, NULL, (struct place){"", 0});
    if (n) n->text = pool_copy(p, text, strlen(text));
    return n && n->text ? n : NULL;
}

/* n values as in a file; several are an axis. */
static struct node *value_node(struct printer *pr, const struct config_key *row,
                               const struct value *values, size_t n) {
    struct text text = {0};
    const bool lists = (row->flags & CONFIG_LIST) != 0;
    if (n > 1) text_add(&text, lists ? "(" : "[");
    for (size_t i = 0; i < n; i++) {
        if (i > 0) text_add(&text, ", ");
        value_print(&text, row, &values[i]);
    }
    if (n > 1) text_add(&text, lists ? ")" : "]");
    struct node *node = text.failed ? NULL : text_node(&pr->pool, text_str(&text), NODE_WORD);
    text_release(&text);
    return node;
}

static struct node *new_group(struct printer *pr) {
    return node_new(&pr->pool, NODE_GROUP, NULL, (struct place){"", 0});
}

static enum err_code put(struct printer *pr, struct node *group, const char *key,
                         struct node *node) {
    return node_put(group, key, node, &pr->pool, &pr->err);
}

/* Does some entry of the list leave key k to the stage? */
static bool list_leaves(const struct axis *a, size_t k) {
    for (size_t i = 0; i < a->n_keys; i++)
        for (size_t j = 0; a->keys[i] == k && j < a->n; j++)
            if (a->at[j * a->n_keys + i] == 0) return true;
    return false;
}

static enum err_code put_keys(struct printer *pr, struct node *group) {
    enum err_code rc = ERR_OK;
    const struct entry *e = pr->entry;
    for (size_t k = 0; k < e->n_keys; k++) {
        const struct key *key = &e->keys[k];
        if (!key->seen || key->own == 0) continue;
        const struct axis *a = key->axis == KEY_NONE ? NULL : &e->axes[key->axis];
        if (a && a->kind == AXIS_LIST && !list_leaves(a, k)) continue;
        TRY(put(pr, group, key->row->name, value_node(pr, key->row, key->values, key->own)));
    }
cleanup:
    return rc;
}

static enum err_code put_names(struct printer *pr, struct node *group, const char *key,
                               const char *const *names, size_t n) {
    enum err_code rc = ERR_OK;
    struct node *array = node_new(&pr->pool, NODE_ARRAY, NULL, (struct place){"", 0});
    for (size_t i = 0; array && i < n; i++)
        TRY(node_add(array, text_node(&pr->pool, names[i], NODE_STRING), &pr->pool, &pr->err));
    TRY(put(pr, group, key, array));
cleanup:
    return rc;
}

static enum err_code put_zip(struct printer *pr, struct node *zips, const struct axis *a) {
    enum err_code rc = ERR_OK;
    struct node *array = node_new(&pr->pool, NODE_ARRAY, NULL, (struct place){"", 0});
    TRY(node_add(zips, array, &pr->pool, &pr->err));
    for (size_t i = 0; i < a->n_keys; i++) {
        const char *name = pr->entry->keys[a->keys[i]].row->name;
        TRY(node_add(array, text_node(&pr->pool, name, NODE_STRING), &pr->pool, &pr->err));
    }
cleanup:
    return rc;
}

static enum err_code put_list(struct printer *pr, struct node *list, const struct axis *a) {
    enum err_code rc = ERR_OK;
    for (size_t j = 0; j < a->n; j++) {
        struct node *group = new_group(pr);
        TRY(node_add(list, group, &pr->pool, &pr->err));
        for (size_t i = 0; i < a->n_keys; i++) {
            const struct key *key = &pr->entry->keys[a->keys[i]];
            const uint32_t at = a->at[j * a->n_keys + i];
            if (at == 0) continue;
            TRY(put(pr, group, key->row->name, value_node(pr, key->row, &key->values[at - 1], 1)));
        }
    }
cleanup:
    return rc;
}

static enum err_code put_axes(struct printer *pr, struct node *group) {
    enum err_code rc = ERR_OK;
    struct node *zips = node_new(&pr->pool, NODE_LIST, NULL, (struct place){"", 0});
    struct node *list = node_new(&pr->pool, NODE_LIST, NULL, (struct place){"", 0});
    if (!zips || !list) return ERR(&pr->err, ERR_MEMORY, "no memory to print");
    for (size_t i = 0; i < pr->entry->n_axes; i++) {
        const struct axis *a = &pr->entry->axes[i];
        if (a->kind == AXIS_ZIP) TRY(put_zip(pr, zips, a));
        if (a->kind == AXIS_LIST) TRY(put_list(pr, list, a));
    }
    if (zips->n > 0) TRY(put(pr, group, "zip", zips));
    if (list->n > 0) TRY(put(pr, group, "list", list));
cleanup:
    return rc;
}

/* Entries that match no point (possible after -s) are left out, so that the file opens again. */
static enum err_code put_excluded(struct printer *pr, struct node *group) {
    enum err_code rc = ERR_OK;
    const struct entry *e = pr->entry;
    struct node *list = node_new(&pr->pool, NODE_LIST, NULL, (struct place){"", 0});
    for (size_t j = 0; list && j < e->n_excluded; j++) {
        const struct excluded *x = &e->excluded[j];
        struct node *entry = new_group(pr);
        if (!x->matched) continue;
        TRY(node_add(list, entry, &pr->pool, &pr->err));
        for (size_t i = 0; i < x->n; i++) {
            const struct config_key *row = e->keys[x->keys[i]].row;
            TRY(put(pr, entry, row->name, value_node(pr, row, x->values[i], x->counts[i])));
        }
    }
    if (!list || list->n > 0) TRY(put(pr, group, "exclude", list));
cleanup:
    return rc;
}

static enum err_code print_entry(struct text *out, struct printer *pr) {
    enum err_code rc = ERR_OK;
    const struct entry *e = pr->entry;
    struct node *group = new_group(pr);
    if (!group) return ERR(&pr->err, ERR_MEMORY, "no memory to print");
    TRY(put(pr, group, "stage", text_node(&pr->pool, e->kind, NODE_STRING)));
    TRY(put(pr, group, "name", text_node(&pr->pool, e->name, NODE_STRING)));
    if (e->n_of > 0) TRY(put_names(pr, group, "of", e->of, e->n_of));
    TRY(put_keys(pr, group));
    TRY(put_axes(pr, group));
    TRY(put_excluded(pr, group));
    node_print(out, group, 4);
cleanup:
    return rc;
}

void config_print(struct text *out, const struct config *c) {
    text_add(out, "name = ");
    node_quote(out, c->name);
    text_add(out, ";\nseed = %llu;\n", (unsigned long long)c->seed);
    if (strcmp(c->gemm, "openblas") != 0) text_add(out, "gemm = \"%s\";\n", c->gemm);
    text_add(out, "stages = (\n");
    for (size_t i = 0; i < c->n; i++) {
        struct printer pr = {.entry = &c->entries[i]};
        text_add(out, "  {\n");
        if (print_entry(out, &pr) != ERR_OK) out->failed = true;
        text_add(out, "  }%s\n", i + 1 < c->n ? "," : "");
        pool_release(&pr.pool);
    }
    text_add(out, ");\n");
}
