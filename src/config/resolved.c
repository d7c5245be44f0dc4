#include "config/resolved.h"

#include "config/fold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int with_name(const void *name, const void *key) {
    return strcmp(name, (*(const struct key *const *)key)->row->name);
}

size_t entry_index(const struct entry *e, const char *name) {
    if (e->by_name) {
        const struct key *const *found =
            bsearch(name, e->by_name, e->n_keys, sizeof *e->by_name, with_name);
        return found ? (size_t)(*found - e->keys) : KEY_NONE;
    }
    for (size_t k = 0; k < e->n_keys; k++)
        if (strcmp(e->keys[k].row->name, name) == 0) return k;
    return KEY_NONE;
}

void config_where(char out[WHERE_TEXT], const struct config_point *p, const char *key) {
    const size_t k = entry_index(p->entry, key);
    const bool here = k != KEY_NONE && p->at[k] > 0;
    const bool given =
        k != KEY_NONE && !here && p->entry->keys[k].given && fold_is_unread(p->entry, p->at, k);
    if (k != KEY_NONE && p->entry->keys[k].where) {
        (void)snprintf(out, WHERE_TEXT, "%s", p->entry->keys[k].where);
        return;
    }
    char where[PLACE_TEXT];
    place_text(where, here    ? p->entry->keys[k].values[p->at[k] - 1].place
                      : given ? p->entry->keys[k].given->place
                              : p->entry->place);
    (void)snprintf(out, WHERE_TEXT, "%s: %s%s%s", where, p->entry->name, *p->entry->name ? "." : "",
                   key);
}
