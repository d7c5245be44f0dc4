/*
 * value.h - a node seen through its row: the right type, within bounds, and nothing else.
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

/* Who is asking: what the messages call the key, and where relative paths begin. */
struct value_reader {
    struct pool *pool;
    const char *stage;  /* NULL for a top-level group */
    const char *beside; /* relative paths are seen from this file; NULL: from where they stand */
    struct err *err;
};

/* One value for a row; a whole list when the row is one. A path stands in the folder of its file,
 * one of -s in the current folder. */
enum err_code value_read(struct value *out, const struct config_key *row, const struct node *node,
                         const struct value_reader *r);

bool value_is_axis(const struct config_key *row, const struct node *node); /* several values */

int value_compare(const struct config_key *row, const struct value *a, const struct value *b);
void value_print(struct text *out, const struct config_key *row, const struct value *v);

const char *value_type_text(const struct config_key *row);         /* "an integer" */
void value_bounds(struct text *out, const struct config_key *row); /* "1 .. 40"; nothing if none */
bool value_is_bounded(const struct config_key *row);

#endif
