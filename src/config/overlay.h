/*
 * overlay.h - several trees become one: `base = "FILE"` in a file, -s on the command line.
 *
 * The later one takes precedence key by key; lists and arrays are replaced as a whole, except
 * `stages`, whose entries are matched by stage name. Every key keeps the place it came from, for
 * messages.
 */
#ifndef CONFIG_OVERLAY_H
#define CONFIG_OVERLAY_H

#include "config/syntax/node.h"

struct config_kinds;

/* The file and all its bases as one root group, without `base`. */
enum err_code overlay_load(struct node **out, struct pool *p, const char *path, struct err *err);

/* One "STAGE.KEY=VALUE" or "KEY=VALUE" onto a loaded root. kinds: to suggest a stage for KEY. */
enum err_code overlay_set(struct node *root, struct pool *p, const char *set,
                          const struct config_kinds *kinds, struct err *err);

/* The entries of `stages`. Each has a name (its own, or its kind); names are unique. */
enum err_code overlay_check_stages(const struct node *root, struct err *err);
size_t overlay_stage_count(const struct node *root);
struct node *overlay_stage(const struct node *root, size_t i);
const char *overlay_stage_name(const struct node *stage);
struct node *overlay_find_stage(const struct node *root, const char *name); /* NULL when absent */

#endif
