#include "config/conditions.h"

#include <stdio.h>
#include <string.h>

enum { WORD_LONGEST = 128 };

static size_t condition_key(const struct entry *e, const char *when) {
    char name[WORD_LONGEST];
    const size_t n = strcspn(when, "=");
    if (when[n] != '=' || n >= sizeof name) return KEY_NONE;
    (void)snprintf(name, sizeof name, "%.*s", (int)n, when);
    return entry_index(e, name);
}

static bool is_cycle(const struct entry *e, size_t k) {
    size_t steps = 0;
    for (; k != KEY_NONE; k = e->keys[k].depends_on)
        if (++steps > e->n_keys) return true;
    return false;
}

enum err_code conditions_resolve(struct entry *e, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t k = 0; k < e->n_keys; k++) {
        const struct config_key *row = e->keys[k].row;
        if (!row->when) continue;
        e->keys[k].depends_on = condition_key(e, row->when);
        CHECK(e->keys[k].depends_on != KEY_NONE, ERR_BUG,
              "stage %s: key %s: when \"%s\" names no key", e->kind, row->name, row->when);
        CHECK(!(e->keys[e->keys[k].depends_on].row->flags & CONFIG_LIST), ERR_BUG,
              "stage %s: key %s: when \"%s\" names a key that is a list", e->kind, row->name,
              row->when);
    }
    for (size_t k = 0; k < e->n_keys; k++)
        CHECK(!is_cycle(e, k), ERR_BUG, "stage %s: key %s: its condition depends on itself",
              e->kind, e->keys[k].row->name);
cleanup:
    return rc;
}

/* Is `word` one of "v1|v2|v3"? */
static bool is_among(const char *word, const char *values) {
    const size_t n = strlen(word);
    for (;; values++) {
        const size_t length = strcspn(values, "|");
        if (length == n && strncmp(values, word, n) == 0) return true;
        values += length;
        if (*values == '\0') return false;
    }
}

enum err_code conditions_hold(bool *out, const struct config_key *row,
                              const struct config_key *parent, const struct value *v,
                              struct err *err) {
    struct text word = {0};
    if (parent->type == CONFIG_NAME || parent->type == CONFIG_TEXT)
        text_add(&word, "%s", v->s);
    else
        value_print(&word, parent, v);
    const enum err_code rc = text_check(&word, err);
    *out = is_among(text_str(&word), strchr(row->when, '=') + 1);
    text_release(&word);
    return rc;
}

enum err_code conditions_prepare(struct entry *e, struct pool *p, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t k = 0; k < e->n_keys; k++) {
        struct key *key = &e->keys[k];
        if (key->depends_on == KEY_NONE) continue;
        const struct key *parent = &e->keys[key->depends_on];
        TAKE(key->holds, p, parent->n + 1);
        for (size_t i = 0; i < parent->n; i++)
            TRY(conditions_hold(&key->holds[i], key->row, parent->row, &parent->values[i], err));
    }
cleanup:
    return rc;
}

bool conditions_overridden(const struct entry *e, size_t k, struct place given) {
    while ((k = e->keys[k].depends_on) != KEY_NONE) {
        const struct node *other = e->keys[k].given;
        if (other && given.line > 0 &&
            (other->place.line == 0 || strcmp(other->place.file, given.file) != 0))
            return true;
    }
    return false;
}
