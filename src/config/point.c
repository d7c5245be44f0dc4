/* point.c - the keys of a point by name, and the errors that name them: config.h. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/resolved.h"

/* The key of this name and its number in *at (0: not part of the point), or NULL. */
static const struct key *find(const struct config_point *p, const char *name, uint32_t *at) {
    const size_t k = entry_index(p->entry, name);
    if (k == KEY_NONE) return NULL;
    *at = p->at[k];
    return &p->entry->keys[k];
}

bool config_has(const struct config_point *p, const char *key) {
    uint32_t at = 0;
    return find(p, key, &at) != NULL && at > 0;
}

static const struct value *get(const struct config_point *p, const char *name,
                               enum config_type type, bool list) {
    uint32_t at = 0;
    const struct key *key = find(p, name, &at);
    assert(key && at > 0); /* asked for a key that is not in this point */
    const bool text = type == CONFIG_TEXT && key->row->type == CONFIG_NAME;
    assert(key->row->type == type || text);
    assert(((key->row->flags & CONFIG_LIST) != 0) == list);
    (void)text;
    (void)list;
    return &key->values[at - 1];
}

static const struct value *get_item(const struct config_point *p, const char *name,
                                    enum config_type type, size_t i) {
    const struct value *v = get(p, name, type, true);
    assert(i < v->n);
    return &v->items[i];
}

bool config_bool(const struct config_point *p, const char *key) {
    return get(p, key, CONFIG_BOOL, false)->i != 0;
}

int64_t config_int(const struct config_point *p, const char *key) {
    return get(p, key, CONFIG_INT, false)->i;
}

double config_float(const struct config_point *p, const char *key) {
    return get(p, key, CONFIG_FLOAT, false)->f;
}

const char *config_text(const struct config_point *p, const char *key) {
    return get(p, key, CONFIG_TEXT, false)->s;
}

size_t config_list_size(const struct config_point *p, const char *key) {
    uint32_t at = 0;
    const struct key *found = find(p, key, &at);
    assert(found && at > 0 && (found->row->flags & CONFIG_LIST));
    return found->values[at - 1].n;
}

int64_t config_list_int(const struct config_point *p, const char *key, size_t i) {
    return get_item(p, key, CONFIG_INT, i)->i;
}

double config_list_float(const struct config_point *p, const char *key, size_t i) {
    return get_item(p, key, CONFIG_FLOAT, i)->f;
}

const char *config_list_text(const struct config_point *p, const char *key, size_t i) {
    return get_item(p, key, CONFIG_TEXT, i)->s;
}

uint64_t config_point_seed(const struct config_point *p) { return p->entry->seed; }

const char *config_path_base(const struct config_point *p, const char *key) {
    const bool override = get(p, key, CONFIG_TEXT, false)->place.line == 0;
    return override ? "the current directory, as after every -s" : "the file that contains it";
}

enum err_code config_error(struct err *err, const struct config_point *p, const char *key,
                           const char *fmt, ...) {
    char where[WHERE_TEXT], message[sizeof err->msg];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    config_where(where, p, key);
    return ERR(err, ERR_CONFIG, "%s: %s", where, message);
}

/* The key of the i-th value that is there. */
static size_t key_at(const struct config_point *p, size_t i) {
    size_t k = 0;
    for (; k < p->entry->n_keys; k++)
        if (p->at[k] > 0 && i-- == 0) break;
    assert(k < p->entry->n_keys);
    return k;
}

size_t config_point_size(const struct config_point *p) {
    size_t n = 0;
    for (size_t k = 0; k < p->entry->n_keys; k++) n += p->at[k] > 0;
    return n;
}

bool config_point_same_keys(const struct config_point *a, const struct config_point *b) {
    for (size_t k = 0; k < a->entry->n_keys; k++)
        if ((a->at[k] > 0) != (b->at[k] > 0)) return false;
    return true;
}

const struct config_key *config_point_key(const struct config_point *p, size_t i) {
    return p->entry->keys[key_at(p, i)].row;
}

bool point_identifies(const struct config_point *p, size_t k) {
    const struct key *key = &p->entry->keys[k];
    if (p->at[k] == 0 || (key->row->flags & CONFIG_SILENT)) return false;
    if (!(key->row->flags & CONFIG_SINCE)) return true;
    return !key->def || value_compare(key->row, key->def, &key->values[p->at[k] - 1]) != 0;
}

bool config_point_identifies(const struct config_point *p, size_t i) {
    return point_identifies(p, key_at(p, i));
}

void config_point_value(struct text *out, const struct config_point *p, size_t i) {
    const size_t k = key_at(p, i);
    const struct key *key = &p->entry->keys[k];
    value_print(out, key->row, &key->values[p->at[k] - 1]);
}
