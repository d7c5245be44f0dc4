/*
 * stage_entry.h - reads one entry of `stages` with the schema of its kind, in this order:
 *
 *     open     kind, name, and an empty key for each row
 *     keys     each key of the entry finds its row
 *     inherit  so does each key of the top-level groups, where the entry does not set it
 *     values   types, bounds and defaults
 *
 * Then axes.h builds the axes and points. config_open() calls the steps.
 */
#ifndef CONFIG_STAGE_ENTRY_H
#define CONFIG_STAGE_ENTRY_H

#include "config/resolved.h"

enum err_code stage_entry_open(struct entry *e, struct config *c, const struct node *tree,
                               const struct config_kinds *kinds, struct err *err);
enum err_code stage_entry_keys(struct entry *e, struct pool *p, struct err *err);
enum err_code stage_entry_values(struct entry *e, struct pool *p, struct err *err);

/* *known: set to true if the stage has such a key. */
enum err_code stage_entry_inherit(struct entry *e, const struct leaf *leaf, bool *known,
                                  struct err *err);

/* The index of a leaf's key, or an error that names the nearest one. */
enum err_code stage_entry_find(size_t *k, const struct entry *e, const struct leaf *leaf,
                               struct err *err);

/* All values of one node: several if the row is an axis and the node a sequence. */
enum err_code stage_entry_read(struct value **out, size_t *n, const struct config_key *row,
                               const struct node *node, const struct value_reader *r);

bool stage_entry_is_reserved(const char *name); /* stage, name, of, zip, list, exclude */

#endif
