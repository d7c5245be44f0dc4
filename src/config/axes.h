/*
 * axes.h - the axes of a stage, and the points that they span.
 *
 * An axis is a key with several values, a `zip` group of keys, or the `list`. Each has the place of
 * its first key in the schema, and the last one varies fastest; so the order of points, and with it
 * the numbers of jobs, follows from the schema and not from the order in the file. An axis none of
 * whose keys exists in a point (key.when) does not multiply that point:
 *
 *     method = ["ltv", "constant"];  ltv = { reading = ["heads", "blocks"]; };
 *
 * has three points, because ltv.reading does not exist for `constant`.
 */
#ifndef CONFIG_AXES_H
#define CONFIG_AXES_H

#include "config/resolved.h"

enum { AXES_POINTS_MAX = 1000000 };

/* Reads zip, list and exclude into e->axes and e->excluded. Call it after stage_entry_values(). */
enum err_code axes_build(struct entry *e, struct pool *p, struct err *err);

/* Fills e->points. Errors: a required key without a value, two equal points, no point at all, a key
 * whose condition never holds, an entry of `exclude` that matches nothing. */
enum err_code axes_expand(struct entry *e, struct pool *p, struct err *err);

/* The order of two points by their values, key by key; 0: equal. For qsort_r() with the entry. */
int axes_compare_points(const void *a, const void *b, void *entry);

#endif
