/*
 * resolved.h - a config once it is open: entries of `stages`, their keys, axes and points.
 *
 * A key keeps all values it takes anywhere in its stage, and a point is one number for each key of
 * the schema: 0 when the key is not part of it, else 1 + the index of its value. So a hundred
 * thousand points cost four bytes a key each.
 */
#ifndef CONFIG_RESOLVED_H
#define CONFIG_RESOLVED_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "config/syntax/node.h"
#include "config/value.h"

#define KEY_NONE SIZE_MAX

struct key {
    const struct config_key *row;
    const struct node *given; /* its node, or NULL: only the default, if there is one */
    bool inherited;           /* given by a top-level group, not by the stage */
    struct value *values;     /* first the stage's own, then those of `list` */
    size_t n, own, capacity;
    size_t axis;             /* in entry.axes; KEY_NONE: one value, or none */
    const struct value *def; /* of a CONFIG_SINCE: no part of the identity; else NULL */
    size_t asks;             /* the key its `when` names; KEY_NONE: always there */
    bool *holds;             /* for each value of that key */
    bool seen;               /* part of some point, excluded ones included */
    const char *where;       /* only in points made by config_point_read: their config_where() */
};

enum axis_kind { AXIS_KEY, AXIS_ZIP, AXIS_LIST };

/* Keys that advance together: n positions, at each one number (as in a point) for each key. */
struct axis {
    enum axis_kind kind;
    size_t n, n_keys;
    const size_t *keys;
    uint32_t *at; /* [n][n_keys]; 0: what the stage says without the list */
};

/* One entry of `exclude`: every key has one of its values. */
struct excluded {
    struct place place;
    bool matched; /* some point */
    size_t n;
    const size_t *keys;
    struct value **values;
    size_t *counts;
};

struct config_point {
    const struct entry *entry;
    const uint32_t *at; /* [entry->n_keys] */
};

/* Key k of the schema is part of the point and of its identity: config_point_identifies() for the
 * number of a key in the entry. */
bool point_identifies(const struct config_point *p, size_t k);

enum { WHERE_TEXT = 320 };

/* "file:line: stage.key": where the value of a key stands that this point has, or the whole stage
 * if it lacks the key. Outside src/config, config_error() is the way to name a position. */
void config_where(char out[WHERE_TEXT], const struct config_point *p, const char *key);

struct entry {
    const char *kind, *name;
    struct place place;
    const struct node *tree;
    const char *path; /* of the config: where defaults stand */
    const char **of;
    size_t n_of;
    struct key *keys;
    size_t n_keys;
    struct axis *axes;
    size_t n_axes;
    struct excluded *excluded;
    size_t n_excluded;
    uint32_t *at; /* [n_points][n_keys]; heap */
    struct config_point *points;
    size_t n_points, capacity;
};

struct config {
    struct pool pool;
    const char *path, *name;
    uint64_t seed;
    struct node *root;
    struct entry *entries;
    size_t n;
};

#endif
