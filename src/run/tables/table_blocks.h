/*
 * table_blocks.h - one table for programs out of the blocks that a command prints: one header, and
 * the columns `run` and `stage` at its end, which name the block of a row.
 *
 * The columns are those of all blocks, in the order in which they are met; a cell that a block
 * does not have is empty.
 */
#ifndef RUN_TABLES_TABLE_BLOCKS_H
#define RUN_TABLES_TABLE_BLOCKS_H

#include "run/tables/text_table.h"

struct table_block {
    char *run, *stage; /* owned */
    struct text_table table;
};

struct table_blocks {
    struct table_block *list;
    size_t n;
};

/* Appends a copy of *t. ERR_MEMORY. */
enum err_code table_blocks_add(struct table_blocks *b, const char *run, const char *stage,
                               const struct text_table *t, struct err *err);

/* *out, which the caller releases in any case: all blocks as one table. ERR_MEMORY. */
enum err_code table_blocks_join(struct text_table *out, const struct table_blocks *b,
                                struct err *err);
void table_blocks_release(struct table_blocks *b); /* idempotent */

#endif
