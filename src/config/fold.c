#include "config/fold.h"

#include <stdlib.h>
#include <string.h>

#include "config/axes.h"
#include "config/conditions.h"

/* ---- which keys are read */

enum err_code fold_prepare(struct entry *e, struct pool *p, struct err *err) {
    enum err_code rc = ERR_OK;
    if (e->reader == KEY_NONE) return ERR_OK;
    const struct key *reader = &e->keys[e->reader];
    const struct key *other = e->setting == KEY_NONE ? NULL : &e->keys[e->setting];
    const char *setting = other && other->n == 1 ? other->values[0].s : "";
    for (size_t k = 0; k < e->n_keys; k++) {
        TAKE(e->keys[k].unread, p, reader->n + 1);
        for (size_t i = 0; i < reader->n; i++)
            e->keys[k].unread[i] = !e->reads(reader->values[i].s, setting, e->keys[k].row->name);
    }
cleanup:
    return rc;
}

bool config_is_unread(const struct config_point *p, const char *key) {
    const struct entry *e = p->entry;
    const size_t k = entry_index(e, key);
    if (e->reader == KEY_NONE || k == KEY_NONE || !e->keys[k].unread) return false;
    return p->at[e->reader] > 0 && e->keys[k].unread[p->at[e->reader] - 1];
}

bool fold_is_unread(const struct entry *e, const uint32_t *at, size_t k) {
    const struct key *key = &e->keys[k];
    if (e->whole || e->reader == KEY_NONE || (key->row->flags & CONFIG_SILENT)) return false;
    return key->unread && at[e->reader] > 0 && key->unread[at[e->reader] - 1];
}

/* ---- the identity */

/* The value that a key has in the point, or stands for it there. */
static const struct value *value_in(const struct config_point *p, size_t k) {
    const struct key *key = &p->entry->keys[k];
    return p->at[k] > 0 ? &key->values[p->at[k] - 1] : fold_default(p, k);
}

const struct value *fold_default(const struct config_point *p, size_t k) {
    const struct entry *e = p->entry;
    const struct key *key = &e->keys[k];
    struct err ignored = {0};
    bool holds = false;
    if (!fold_is_unread(e, p->at, k) || (key->row->flags & CONFIG_SINCE)) return NULL;
    if (key->depends_on == KEY_NONE) return key->def;
    const struct value *other = value_in(p, key->depends_on);
    if (!other ||
        conditions_hold(&holds, key->row, e->keys[key->depends_on].row, other, &ignored) != ERR_OK)
        return NULL;
    return holds ? key->def : NULL;
}

/* ---- the points */

static bool strip(struct entry *e, uint32_t *at) {
    bool changed = false;
    for (size_t k = 0; k < e->n_keys; k++) {
        if (at[k] == 0 || !fold_is_unread(e, at, k)) continue;
        at[k] = 0;
        changed = true;
    }
    return changed;
}

/* Equal points in the order of their numbers. */
static int compare_all(const void *a, const void *b, void *entry) {
    const struct config_point *x = a, *y = b;
    const int order = axes_compare_points(a, b, entry);
    return order != 0 ? order : (x->at > y->at) - (x->at < y->at);
}

/* Leaves the points of which `gone` is false. */
static void keep_first(struct entry *e, const bool *gone) {
    size_t n = 0;
    for (size_t i = 0; i < e->n_points; i++)
        if (!gone[i]) e->points[n++] = e->points[i];
    e->n_points = n;
}

enum err_code fold_points(struct entry *e, struct err *err) {
    enum err_code rc = ERR_OK;
    struct config_point *sorted = NULL;
    bool *gone = NULL, changed = false;
    e->n_spanned = e->n_points;
    for (size_t i = 0; i < e->n_points; i++) changed |= strip(e, e->at + i * e->n_keys);
    if (!changed) return ERR_OK;
    sorted = malloc(e->n_points * sizeof *sorted);
    gone = calloc(e->n_points, sizeof *gone);
    CHECK(sorted && gone, ERR_MEMORY, "no memory for %zu points of %s", e->n_points, e->name);
    memcpy(sorted, e->points, e->n_points * sizeof *sorted);
    qsort_r(sorted, e->n_points, sizeof *sorted, compare_all, e);
    for (size_t i = 1; i < e->n_points; i++)
        if (axes_compare_points(&sorted[i - 1], &sorted[i], e) == 0)
            gone[(size_t)(sorted[i].at - e->at) / e->n_keys] = true;
    keep_first(e, gone);
cleanup:
    free(gone);
    free(sorted);
    return rc;
}
