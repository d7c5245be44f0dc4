/*
 * node.h - the contents of a config file as a tree of groups, lists and plain values, each with its
 * place in the file.
 *
 * Plain values keep their source text, which value.h reads by the type of their key. Nodes live in
 * a pool and may be shared between trees, so they are not freed one by one.
 */
#ifndef CONFIG_SYNTAX_NODE_H
#define CONFIG_SYNTAX_NODE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/text.h"
#include "config/syntax/pool.h"

/* A position in a config. line 0: `file` is the whole text of it, as in "-s fit.points=3". */
struct place {
    const char *file;
    int line;
};

enum node_kind {
    NODE_GROUP,  /* { } */
    NODE_LIST,   /* ( ) */
    NODE_ARRAY,  /* [ ] */
    NODE_BOOL,   /* text: true or false */
    NODE_NUMBER, /* text: as written, number.h reads it */
    NODE_STRING, /* text: without quotes and escapes */
    NODE_WORD    /* text: unquoted, from a default or -s; of the type of its key */
};

struct node {
    enum node_kind kind;
    const char *name; /* NULL for elements of lists and arrays */
    struct place place;
    const char *text;
    struct node **items;
    size_t n, capacity;
};

enum { PLACE_TEXT = 256, SHOW_TEXT = 80 };

void place_text(char out[PLACE_TEXT], struct place at);

/* ERR_CONFIG "file:line: stage.key: message"; stage and key may be NULL. */
enum err_code place_error(struct err *err, struct place at, const char *stage, const char *key,
                          const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* The same for a word of the config that does not exist or cannot be read: ERR_USAGE where it comes
 * from -s, ERR_CONFIG where it comes from a file. */
enum err_code place_unreadable(struct err *err, struct place at, const char *stage, const char *key,
                               const char *fmt, ...) __attribute__((format(printf, 5, 6)));

struct node *node_new(struct pool *p, enum node_kind kind, const char *name, struct place at);
enum err_code node_add(struct node *parent, struct node *child, struct pool *p, struct err *err);
struct node *node_find(const struct node *group, const char *name); /* NULL when absent */

/* Sets "a.b.c" below a group, making the groups on the way; replaces an older value. */
enum err_code node_put(struct node *group, const char *path, struct node *leaf, struct pool *p,
                       struct err *err);

/* Merges `over` into `base`: groups are merged key by key, anything else is replaced. Nodes are
 * shared, not copied. */
enum err_code node_overlay(struct node *base, const struct node *over, struct pool *p,
                           struct err *err);

bool node_is_plain(const struct node *n);                  /* no group, list or array */
bool node_is_text(const struct node *n);                   /* a string, quoted or not */
void node_show(char out[SHOW_TEXT], const struct node *n); /* short, for messages */
void node_quote(struct text *out, const char *s); /* "s" with escapes, as libconfig reads */
void node_print(struct text *out, const struct node *group, int indent); /* the lines of a group */

/* Every key of a group with its dotted path below it; an empty group is a leaf itself. */
struct leaf {
    const char *path;
    const struct node *node;
};
struct leaves {
    struct leaf *items;
    size_t n, capacity;
};
enum err_code node_leaves(struct leaves *out, const struct node *group, const char *prefix,
                          struct pool *p, struct err *err);

#endif
