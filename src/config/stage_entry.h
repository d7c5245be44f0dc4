/*
 * stage_entry.h - one entry of `stages` against the schema of its kind, in steps.
 *
 * open: kind, name, rows. keys: what stands in the entry and in the top-level groups finds its row.
 * values: types, bounds, defaults. Then axes.h.
 */
#ifndef CONFIG_STAGE_ENTRY_H
#define CONFIG_STAGE_ENTRY_H

#include "config/resolved.h"

enum err_code stage_entry_open(struct entry *e, struct config *c, const struct node *tree,
                               const struct config_kinds *kinds, struct err *err);
enum err_code stage_entry_keys(struct entry *e, struct pool *p, struct err *err);
enum err_code stage_entry_inherit(struct entry *e, const struct leaf *leaf, bool *known,
                                  struct err *err);
enum err_code stage_entry_values(struct entry *e, struct pool *p, struct err *err);

/* The key of a leaf, or an error that names the nearest one. */
enum err_code stage_entry_find(size_t *k, const struct entry *e, const struct leaf *leaf,
                               struct err *err);
size_t stage_entry_index(const struct entry *e,
                         const char *name); /* KEY_NONE when it has no such row */

/* All values of one node: several when the row is an axis and the node a sequence. */
enum err_code stage_entry_read(struct value **out, size_t *n, const struct config_key *row,
                               const struct node *node, const struct value_reader *r);

bool stage_entry_is_reserved(const char *name); /* stage, name, of, zip, list, exclude */

#endif
