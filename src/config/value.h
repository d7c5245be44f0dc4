/*
 * value.h - reads a node as the value of a row: checks its type and bounds.
 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/schema.h"
#include "config/syntax/node.h"

struct value {
    int64_t i;     /* BOOL, INT */
    double f;      /* FLOAT */
    const char *s; /* NAME, TEXT */
    const struct value *items;
    size_t n; /* LIST */
    struct place place;
};

/* What a value is read for: how messages name the key, and what paths are relative to. */
struct value_reader {
    struct pool *pool;
    const char *stage;     /* NULL for a top-level group */
    const char *path_base; /* a relative path starts at the folder of this file; NULL: of the file
                              that contains it */
    struct err *err;
};

/* One value of a row: a whole list if the row is CONFIG_LIST. A path becomes absolute: in a file it
 * is relative to the folder of that file, after -s to the current directory. */
enum err_code value_read(struct value *out, const struct config_key *row, const struct node *node,
                         const struct value_reader *r);

/* Does the node give several values, for an axis? */
bool value_is_axis(const struct config_key *row, const struct node *node);

int value_compare(const struct config_key *row, const struct value *a, const struct value *b);
void value_print(struct text *out, const struct config_key *row, const struct value *v);

const char *value_type_text(const struct config_key *row);         /* "an integer" */
void value_bounds(struct text *out, const struct config_key *row); /* "1 .. 40"; nothing if none */
bool value_is_bounded(const struct config_key *row);

#endif
