/*
 * axes.h - the axes of a stage and the points they span.
 *
 * Axes are keys with several values, `zip` groups and the `list`; each stands where its first key
 * stands in the schema, and the last one is the fastest. An axis none of whose keys exists in a
 * point (`when`) does not multiply it.
 */
#ifndef CONFIG_AXES_H
#define CONFIG_AXES_H

#include "config/resolved.h"

enum { AXES_POINTS_MAX = 1000000 };

/* Reads zip, list and exclude; every value is known, stage_entry_values() came first. */
enum err_code axes_build(struct entry *e, struct pool *p, struct err *err);

/* Fills e->points. Errors: a required key without a value, two equal points, no point, a key given
 * where its `when` never holds. */
enum err_code axes_expand(struct entry *e, struct pool *p, struct err *err);

#endif
