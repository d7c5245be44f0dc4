/*
 * resolved.h - a config in memory: stages, their keys, their axes, their points. Only src/config
 * includes this file; everyone else reads a config through config.h.
 *
 * A key keeps every value that it takes anywhere in its stage, once. A point is one number per key
 * of the schema: 0 if the key is not part of the point, else 1 + the index of its value. So a point
 * costs four bytes per key, and a stage may have a hundred thousand of them. For
 *
 *     points = [16, 41];  method = "ltv";
 *
 * the key `points` has the values {16, 41} and the two points hold the numbers 1 and 2 for it.
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
    const struct node *given; /* where it is set; NULL: the default, if there is one */
    bool inherited;           /* set by a top-level group, not by the stage */
    struct value *values;     /* [n]: `own` values of the stage, then those of `list` */
    size_t n, own, capacity;
    size_t axis;             /* index in entry.axes; KEY_NONE: it has one value, or none */
    const struct value *def; /* its default, where a CONFIG_SINCE key or fold.c needs it */
    size_t depends_on;       /* the key that its `when` names; KEY_NONE: no condition */
    bool *holds;       /* [n of that key]: whether the condition holds for each of its values */
    bool *unread;      /* [n of entry.reader]: whether it is not read there; NULL: it always is */
    bool seen;         /* part of some point, excluded ones included */
    const char *where; /* only in points made by config_point_read: their config_where() */
};

enum axis_kind { AXIS_KEY, AXIS_ZIP, AXIS_LIST };

/* Keys that advance together (one key, a zip, or the list): n positions, and at each position one
 * number per key, as in a point. */
struct axis {
    enum axis_kind kind;
    size_t n, n_keys;
    const size_t *keys;
    uint32_t *at; /* [n][n_keys]; 0: this entry of `list` leaves the key to the stage */
};

/* One entry of `exclude`: it drops a point in which every key has one of the values given here. */
struct excluded {
    struct place place;
    bool matched; /* it dropped some point */
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

/* "file:line: stage.key" of the value that this point has for a key, of one that it does not read,
 * or of the whole stage if the point lacks the key. Outside src/config, config_error() is the way
 * to name a position. */
void config_where(char out[WHERE_TEXT], const struct config_point *p, const char *key);

struct entry {
    const char *kind, *name;
    struct place place;
    const struct node *tree;
    const char *path; /* of the config file: default paths are relative to it */
    uint64_t seed;    /* of the config; 0 in a point that config_point_read() has made */
    const char **of;
    size_t n_of;
    struct key *keys;
    size_t n_keys;
    const struct key **by_name; /* [n_keys]; NULL in a point that config_point_read() has made */
    const struct config_recipe *recipes; /* of the schema */
    size_t reader;  /* the key whose value decides which others are read; KEY_NONE: all are */
    size_t setting; /* another, with one value in the stage, which decides too; KEY_NONE: none */
    bool (*reads)(const char *value, const char *setting, const char *key); /* of the schema */
    bool whole; /* points keep the keys that are not read */
    struct axis *axes;
    size_t n_axes;
    struct excluded *excluded;
    size_t n_excluded;
    uint32_t *at; /* [n_points][n_keys]; heap */
    struct config_point *points;
    size_t n_points, capacity;
    size_t n_spanned; /* points that the axes span, before fold.c joined equal ones */
};

/* The index of the key of this name, or KEY_NONE. */
size_t entry_index(const struct entry *e, const char *name);

struct config {
    struct pool pool;
    const char *path, *name;
    uint64_t seed;
    const char *gemm;
    struct node *root;
    struct entry *entries;
    size_t n;
};

#endif
