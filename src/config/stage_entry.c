#include "config/stage_entry.h"

#include <stdlib.h>
#include <string.h>

#include "config/conditions.h"
#include "config/overlay.h"
#include "config/path_pattern.h"
#include "config/syntax/tree.h"

static const char *const RESERVED[] = {"stage", "name", "of", "zip", "list", "exclude"};
enum { N_RESERVED = sizeof RESERVED / sizeof *RESERVED, NAME_LONGEST = 64 };

bool stage_entry_is_reserved(const char *name) {
    for (size_t i = 0; i < N_RESERVED; i++)
        if (strcmp(RESERVED[i], name) == 0) return true;
    return false;
}

/* The name of a stage is also the name of its table. */
static enum err_code check_name(const struct node *node, const char *name, struct err *err) {
    static const char *const taken[] = {"name",   "seed",  "base",  "gemm",
                                        "stages", "model", "source"};
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    if (!*name || strlen(name) > NAME_LONGEST || name[strspn(name, allowed)] != '\0' ||
        strchr("0123456789_-", name[0]))
        return place_error(err, node->place, "stages", name,
                           "the name of a stage is a letter, then letters, digits, _ or -, at most "
                           "%d",
                           (int)NAME_LONGEST);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcmp(taken[i], name) == 0)
            return place_error(err, node->place, "stages", name,
                               "reserved for the top level: choose another name");
    return ERR_OK;
}

static enum err_code unknown_kind(const struct node *stage, const struct config_kinds *kinds,
                                  struct err *err) {
    struct text list = {0};
    for (size_t i = 0; i < kinds->n; i++) text_add(&list, "%s%s", i ? ", " : "", kinds->names[i]);
    const char *near = text_nearest(stage->text, kinds->names, kinds->n);
    const enum err_code rc = place_error(err, stage->place, "stages", "stage",
                                         "unknown kind \"%.60s\" (%s%s%sknown: %s)", stage->text,
                                         near ? "did you mean " : "", near ? near : "",
                                         near ? "? " : "", text_str(&list));
    text_release(&list);
    return rc;
}

static int before_by_name(const void *a, const void *b) {
    const struct key *const *p = a, *const *q = b;
    return strcmp((*p)->row->name, (*q)->row->name);
}

static enum err_code sort_keys(struct entry *e, struct pool *p, struct err *err) {
    enum err_code rc = ERR_OK;
    TAKE(e->by_name, p, e->n_keys + 1);
    for (size_t k = 0; k < e->n_keys; k++) e->by_name[k] = &e->keys[k];
    qsort((void *)e->by_name, e->n_keys, sizeof *e->by_name, before_by_name);
cleanup:
    return rc;
}

enum err_code stage_entry_open(struct entry *e, struct config *c, const struct node *tree,
                               const struct config_kinds *kinds, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct node *stage = node_find(tree, "stage");
    if (!stage)
        return place_error(err, tree->place, "stages", overlay_stage_name(tree),
                           "no kind: write stage = \"KIND\"");
    const struct config_schema *schema = kinds->schema_of(stage->text, kinds->context);
    if (!schema) return unknown_kind(stage, kinds, err);
    const struct node *name = node_find(tree, "name");
    *e = (struct entry){.kind = stage->text,
                        .name = overlay_stage_name(tree),
                        .place = tree->place,
                        .tree = tree,
                        .path = c->path,
                        .n_keys = schema->n,
                        .recipes = schema->recipes,
                        .reader = KEY_NONE,
                        .setting = KEY_NONE,
                        .whole = kinds->whole};
    TRY(check_name(name ? name : stage, e->name, err));
    TAKE(e->keys, &c->pool, schema->n + 1);
    for (size_t k = 0; k < schema->n; k++)
        e->keys[k] = (struct key){.row = schema->rows[k], .axis = KEY_NONE, .depends_on = KEY_NONE};
    TRY(sort_keys(e, &c->pool, err));
    if (schema->reader) {
        e->reader = entry_index(e, schema->reader);
        if (schema->setting) e->setting = entry_index(e, schema->setting);
        e->reads = schema->reads;
    }
    TRY(conditions_resolve(e, err));
cleanup:
    return rc;
}

static bool is_below(const char *path, const char *group) {
    const size_t n = strlen(group);
    return strncmp(path, group, n) == 0 && path[n] == '.';
}

/* "lr" of "optimiser.lr": for a key given without its group, the message suggests the full name. */
static const char *last_word(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot ? dot + 1 : name;
}

static const char *nearest(const struct entry *e, const char *path, struct pool *p) {
    const char **names = pool_take(p, e->n_keys + N_RESERVED, sizeof *names);
    if (!names) return NULL;
    for (size_t k = 0; k < e->n_keys; k++) {
        names[k] = e->keys[k].row->name;
        if (strcmp(last_word(names[k]), path) == 0) return names[k];
    }
    for (size_t i = 0; i < N_RESERVED; i++) names[e->n_keys + i] = RESERVED[i];
    return text_nearest(path, names, e->n_keys + N_RESERVED);
}

enum { KEYS_SHOWN = 300 }; /* bytes of the list of keys in a message */

static void list_keys(struct text *out, const struct entry *e) {
    for (size_t k = 0; k < e->n_keys; k++) {
        if (out->size > KEYS_SHOWN) {
            text_add(out, ", ...");
            return;
        }
        text_add(out, "%s%s", k ? ", " : "", e->keys[k].row->name);
    }
}

static enum err_code unknown_key(const struct entry *e, const struct leaf *leaf, struct err *err) {
    struct pool scratch = {0};
    struct text known = {0};
    const char *near = nearest(e, leaf->path, &scratch);
    list_keys(&known, e);
    const enum err_code rc =
        near ? place_unreadable(err, leaf->node->place, e->name, leaf->path,
                                "unknown key (did you mean %s.%s?)", e->name, near)
             : place_unreadable(err, leaf->node->place, e->name, leaf->path,
                                "unknown key (known in a stage %s: %s)", e->kind, text_str(&known));
    text_release(&known);
    pool_release(&scratch);
    return rc;
}

enum err_code stage_entry_find(size_t *k, const struct entry *e, const struct leaf *leaf,
                               struct err *err) {
    char shown[SHOW_TEXT];
    for (size_t i = 0; i < e->n_keys; i++) {
        const struct config_key *row = e->keys[i].row;
        if (strcmp(row->name, leaf->path) == 0) {
            *k = i;
            return ERR_OK;
        }
        if (is_below(leaf->path, row->name))
            return place_error(err, leaf->node->place, e->name, row->name,
                               "expected %s, received a group { }", value_type_text(row));
        if (!is_below(row->name, leaf->path)) continue;
        *k = KEY_NONE;
        if (leaf->node->kind == NODE_GROUP) return ERR_OK; /* an empty group sets nothing */
        node_show(shown, leaf->node);
        return place_error(err, leaf->node->place, e->name, leaf->path,
                           "expected a group { %s = ...; }, received %s",
                           row->name + strlen(leaf->path) + 1, shown);
    }
    return unknown_key(e, leaf, err);
}

enum err_code stage_entry_keys(struct entry *e, struct pool *p, struct err *err) {
    enum err_code rc = ERR_OK;
    struct leaves leaves = {0};
    TRY(node_leaves(&leaves, e->tree, "", p, err));
    for (size_t i = 0; i < leaves.n; i++) {
        size_t k = KEY_NONE;
        if (stage_entry_is_reserved(leaves.items[i].path)) continue;
        TRY(stage_entry_find(&k, e, &leaves.items[i], err));
        if (k != KEY_NONE) e->keys[k].given = leaves.items[i].node;
    }
cleanup:
    return rc;
}

enum err_code stage_entry_inherit(struct entry *e, const struct leaf *leaf, bool *known,
                                  struct err *err) {
    size_t k = KEY_NONE;
    for (size_t i = 0; i < e->n_keys && k == KEY_NONE; i++) {
        const char *name = e->keys[i].row->name;
        if (strcmp(name, leaf->path) == 0)
            k = i;
        else if (is_below(leaf->path, name) || is_below(name, leaf->path)) {
            *known = true;
            return stage_entry_find(&k, e, leaf, err);
        }
    }
    if (k == KEY_NONE) return ERR_OK;
    *known = true;
    if (e->keys[k].given) return ERR_OK;
    e->keys[k].given = leaf->node;
    e->keys[k].inherited = true;
    return ERR_OK;
}

/* "16,26" of -s, without brackets, for a key that takes several values. A TEXT may hold commas. */
static bool is_bare_list(const struct config_key *row, const struct node *node) {
    return node->kind == NODE_WORD && row->type != CONFIG_TEXT &&
           (row->flags & (CONFIG_AXIS | CONFIG_LIST)) && strchr(node->text, ',');
}

static enum err_code read_bare_list(const struct node **out, const struct node *node,
                                    const struct value_reader *r) {
    struct text text = {0};
    struct node *array = NULL;
    text_add(&text, "[%s]", node->text);
    const enum err_code rc = tree_literal(&array, r->pool, text_str(&text), node->place, r->err);
    text_release(&text);
    *out = array;
    return rc;
}

enum err_code stage_entry_read(struct value **out, size_t *n, const struct config_key *row,
                               const struct node *node, const struct value_reader *r) {
    enum err_code rc = ERR_OK;
    struct err *err = r->err;
    if (is_bare_list(row, node)) TRY(read_bare_list(&node, node, r));
    const bool many = value_is_axis(row, node);
    const size_t count = many ? node->n : 1;
    if (count == 0)
        return place_error(err, node->place, r->stage, row->name,
                           "an empty axis: give one value or more");
    TAKE(*out, r->pool, count);
    for (size_t i = 0; i < count; i++)
        TRY(value_read(&(*out)[i], row, many ? node->items[i] : node, r));
    *n = count;
    TRY(path_pattern_expand(out, n, row, r));
cleanup:
    return rc;
}

/* The values of a config text, for a key that the stage does not give. */
static enum err_code read_literal(struct value **out, size_t *n, const char *text,
                                  const struct config_key *row, const struct entry *e,
                                  struct pool *p, struct err *err) {
    enum err_code rc = ERR_OK;
    struct node *node = NULL;
    const struct value_reader r = {p, e->name, e->path, err};
    TRY(tree_literal(&node, p, text, e->place, err));
    TRY(stage_entry_read(out, n, row, node, &r));
cleanup:
    return rc;
}

/* What the recipe of the stage says of a key; NULL: nothing. */
static const char *recipe_value(const struct entry *e, const struct config_key *row) {
    const size_t k = entry_index(e, "recipe");
    const struct node *given = k == KEY_NONE ? NULL : e->keys[k].given;
    if (!given || !node_is_text(given)) return NULL;
    for (const struct config_recipe *r = e->recipes; r && r->name; r++)
        if (strcmp(r->name, given->text) == 0 && strcmp(r->key, row->name) == 0) return r->value;
    return NULL;
}

static enum err_code read_key(struct key *key, const struct entry *e, struct pool *p,
                              struct err *err) {
    enum err_code rc = ERR_OK;
    const struct value_reader r = {p, key->inherited ? NULL : e->name, NULL, err};
    struct value *def = NULL;
    size_t n_def = 0;
    const bool kept = (key->row->flags & CONFIG_SINCE) || e->reader != KEY_NONE;
    const char *recipe = key->given ? NULL : recipe_value(e, key->row);
    if (key->row->def && (kept || !key->given))
        TRY(read_literal(&def, &n_def, key->row->def, key->row, e, p, err));
    if (kept) key->def = def;
    if (key->given)
        TRY(stage_entry_read(&key->values, &key->n, key->row, key->given, &r));
    else if (recipe)
        TRY(read_literal(&key->values, &key->n, recipe, key->row, e, p, err));
    else
        key->values = def, key->n = n_def;
    key->own = key->capacity = key->n;
cleanup:
    return rc;
}

enum err_code stage_entry_values(struct entry *e, struct pool *p, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t k = 0; k < e->n_keys; k++) TRY(read_key(&e->keys[k], e, p, err));
cleanup:
    return rc;
}
