/*
 * path_pattern.h - a path whose last part has a '*' is an axis: one value for each file.
 */
#ifndef CONFIG_PATH_PATTERN_H
#define CONFIG_PATH_PATTERN_H

#include "config/value.h"

/* Replaces each such path among the n values of a key that is CONFIG_PATH and CONFIG_AXIS by the
 * files that it matches, in the order of their names (bytes). ERR_CONFIG, with the place of the
 * path, where it matches none. */
enum err_code path_pattern_expand(struct value **values, size_t *n, const struct config_key *row,
                                  const struct value_reader *r);

#endif
