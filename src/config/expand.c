/*
 * expand.c - axes_expand(): from axes to points.
 *
 * A recursion over the axes: at depth d the axes before d have a position, and the axes from d on
 * are not set yet. At full depth the positions are a point. Conditions make this less simple than a
 * product: whether a key exists may depend on an axis that is set later (the order of axes is that
 * of the schema), so existence has three answers, and an axis that turns out not to exist at full
 * depth contributes only its first position.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "config/axes.h"
#include "config/conditions.h"
#include "config/fold.h"

struct expansion {
    struct entry *entry;
    size_t depth;  /* axes 0 .. depth - 1 have a position */
    uint32_t *now; /* [n_keys]: numbers as in a point, also for keys that do not exist in it */
    bool *moved;   /* [n_axes]: is the axis beyond its first position? */
    struct err *err;
};

enum answer { NO, YES, LATER };

/* Does key k exist at the present positions? LATER: that depends on an axis not set yet. */
static enum answer exists(const struct expansion *x, size_t k) {
    const struct key *key = &x->entry->keys[k];
    if (key->depends_on == KEY_NONE) return YES;
    const struct key *parent = &x->entry->keys[key->depends_on];
    const enum answer above = exists(x, key->depends_on);
    if (above != YES) return above;
    if (parent->axis != KEY_NONE && parent->axis >= x->depth) return LATER;
    const uint32_t at = x->now[key->depends_on];
    return at > 0 && key->holds[at - 1] ? YES : NO;
}

/* Does some key of the axis exist, or may it still? */
static bool axis_matters(const struct expansion *x, const struct axis *a) {
    for (size_t i = 0; i < a->n_keys; i++)
        if (exists(x, a->keys[i]) != NO) return true;
    return false;
}

static bool is_excluded(const struct entry *e, const uint32_t *at, const struct excluded *x) {
    for (size_t i = 0; i < x->n; i++) {
        const struct key *key = &e->keys[x->keys[i]];
        bool found = false;
        if (at[x->keys[i]] == 0) return false;
        const struct value *v = &key->values[at[x->keys[i]] - 1];
        for (size_t j = 0; j < x->counts[i] && !found; j++)
            found = value_compare(key->row, v, &x->values[i][j]) == 0;
        if (!found) return false;
    }
    return true;
}

static enum err_code reserve_point(struct entry *e, struct err *err) {
    if (e->n_points < e->capacity) return ERR_OK;
    const size_t capacity = e->capacity ? 2 * e->capacity : 64;
    uint32_t *at = realloc(e->at, capacity * (e->n_keys + 1) * sizeof *at);
    if (!at) return ERR(err, ERR_MEMORY, "no memory for %zu points of %s", capacity, e->name);
    e->at = at;
    e->capacity = capacity;
    return ERR_OK;
}

static enum err_code missing(const struct expansion *x, size_t k) {
    const struct config_key *row = x->entry->keys[k].row;
    return place_error(x->err, x->entry->place, x->entry->name, row->name,
                       "missing, and it has no default: give %s (see taskvec help %s.%s)",
                       value_type_text(row), x->entry->kind, row->name);
}

static bool may_lack(const struct entry *e, const uint32_t *at, size_t k) {
    return (e->keys[k].row->flags & CONFIG_OPTIONAL) || fold_is_unread(e, at, k);
}

/* Adds the point at the present positions, unless it repeats one: an axis that does not exist here
 * counts only at its first position. */
static enum err_code add_point(struct expansion *x) {
    enum err_code rc = ERR_OK;
    struct entry *e = x->entry;
    for (size_t i = 0; i < e->n_axes; i++)
        if (x->moved[i] && !axis_matters(x, &e->axes[i])) return ERR_OK;
    if (e->n_points == AXES_POINTS_MAX)
        return place_error(x->err, e->place, e->name, NULL, "more than %d points",
                           (int)AXES_POINTS_MAX);
    TRY(reserve_point(e, x->err));
    uint32_t *at = e->at + e->n_points * e->n_keys;
    for (size_t k = 0; k < e->n_keys; k++) {
        struct key *key = &e->keys[k];
        const bool here = exists(x, k) == YES;
        at[k] = here ? x->now[k] : 0;
        key->seen = key->seen || here;
    }
    for (size_t k = 0; k < e->n_keys; k++)
        if (at[k] == 0 && exists(x, k) == YES && !may_lack(e, at, k)) TRY(missing(x, k));
    bool excluded = false;
    for (size_t i = 0; i < e->n_excluded; i++) {
        if (!is_excluded(e, at, &e->excluded[i])) continue;
        excluded = e->excluded[i].matched = true;
    }
    if (!excluded) e->n_points++;
cleanup:
    return rc;
}

static enum err_code expand(struct expansion *x, size_t depth) {
    enum err_code rc = ERR_OK;
    const struct entry *e = x->entry;
    x->depth = depth;
    if (depth == e->n_axes) return add_point(x);
    const struct axis *a = &e->axes[depth];
    const size_t n = axis_matters(x, a) ? a->n : 1;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < a->n_keys; j++) {
            const uint32_t at = a->at[i * a->n_keys + j];
            x->now[a->keys[j]] = at > 0 ? at : (uint32_t)e->keys[a->keys[j]].own;
        }
        x->moved[depth] = i > 0;
        TRY(expand(x, depth + 1));
    }
cleanup:
    x->moved[depth] = false;
    return rc;
}

/* A key whose condition holds in no point is an error, because it would be ignored silently, unless
 * -s or another file selected another method, shift or problem. */
static enum err_code refuse_idle_keys(const struct entry *e, struct err *err) {
    for (size_t k = 0; k < e->n_keys; k++) {
        const struct key *key = &e->keys[k];
        const bool given = (key->given && !key->inherited) || key->n > key->own;
        if (!given || key->seen) continue;
        const struct place at = key->given ? key->given->place : key->values[key->own].place;
        if (conditions_overridden(e, k, at)) continue;
        return place_error(err, at, e->name, key->row->name,
                           "has no effect: it exists only where %s", key->row->when);
    }
    return ERR_OK;
}

/* Is some key of the stage set by -s, or in another file than this entry of `exclude`? Then the
 * points that the entry was written for may be gone, and it is no mistake that it matches none. */
static bool is_overridden(const struct entry *e, struct place entry) {
    for (size_t k = 0; k < e->n_keys; k++) {
        const struct node *given = e->keys[k].given;
        if (given && (given->place.line == 0 || strcmp(given->place.file, entry.file) != 0))
            return true;
    }
    return false;
}

static enum err_code refuse_idle_excludes(const struct entry *e, struct err *err) {
    for (size_t i = 0; i < e->n_excluded; i++) {
        if (!e->excluded[i].matched && !is_overridden(e, e->excluded[i].place))
            return place_error(err, e->excluded[i].place, e->name, "exclude",
                               "entry %zu matches no point: correct its values or remove it",
                               i + 1);
    }
    return ERR_OK;
}

int axes_compare_points(const void *a, const void *b, void *entry) {
    const struct entry *e = entry;
    const struct config_point *x = a, *y = b;
    for (size_t k = 0; k < e->n_keys; k++) {
        const uint32_t i = x->at[k], j = y->at[k];
        if (i == j) continue;
        if (i == 0 || j == 0) return i == 0 ? -1 : 1;
        const struct key *key = &e->keys[k];
        const int order = value_compare(key->row, &key->values[i - 1], &key->values[j - 1]);
        if (order != 0) return order;
    }
    return 0;
}

static void describe_point(struct text *out, const struct config_point *p) {
    const struct entry *e = p->entry;
    for (size_t k = 0; k < e->n_keys; k++) {
        if (e->keys[k].axis == KEY_NONE || p->at[k] == 0) continue;
        text_add(out, "%s%s = ", out->size ? ", " : "", e->keys[k].row->name);
        value_print(out, e->keys[k].row, &e->keys[k].values[p->at[k] - 1]);
    }
}

/* Two equal points would be one job with two numbers. */
static enum err_code refuse_equal_points(struct entry *e, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text text = {0};
    struct config_point *sorted = NULL;
    if (e->n_axes == 0) return ERR_OK;
    sorted = malloc(e->n_points * sizeof *sorted);
    CHECK(sorted, ERR_MEMORY, "no memory for %zu points of %s", e->n_points, e->name);
    memcpy(sorted, e->points, e->n_points * sizeof *sorted);
    qsort_r(sorted, e->n_points, sizeof *sorted, axes_compare_points, e);
    for (size_t i = 1; i < e->n_points; i++) {
        if (axes_compare_points(&sorted[i - 1], &sorted[i], e) != 0) continue;
        describe_point(&text, &sorted[i]);
        TRY(place_error(err, e->place, e->name, NULL,
                        "two equal points (%s): a value is repeated in an axis, zip or list",
                        text_str(&text)));
    }
cleanup:
    free(sorted);
    text_release(&text);
    return rc;
}

static enum err_code finish(struct entry *e, struct pool *p, struct err *err) {
    enum err_code rc = ERR_OK;
    if (e->n_points == 0)
        return place_error(err, e->place, e->name, NULL, "exclude leaves no point");
    TAKE(e->points, p, e->n_points);
    for (size_t i = 0; i < e->n_points; i++)
        e->points[i] = (struct config_point){e, e->at + i * e->n_keys};
    TRY(refuse_equal_points(e, err));
cleanup:
    return rc;
}

enum err_code axes_expand(struct entry *e, struct pool *p, struct err *err) {
    enum err_code rc = ERR_OK;
    struct expansion x = {.entry = e, .err = err};
    TAKE(x.now, p, e->n_keys + 1);
    TAKE(x.moved, p, e->n_axes + 1);
    for (size_t k = 0; k < e->n_keys; k++) x.now[k] = e->keys[k].own > 0;
    TRY(expand(&x, 0));
    TRY(refuse_idle_keys(e, err));
    TRY(refuse_idle_excludes(e, err));
    TRY(finish(e, p, err));
    TRY(fold_points(e, err));
cleanup:
    return rc;
}
