/*
 * stage_table_print.h - the rows of a stage as they are printed.
 */
#ifndef RUN_TABLES_STAGE_TABLE_PRINT_H
#define RUN_TABLES_STAGE_TABLE_PRINT_H

#include "run/tables/stage_table.h"
#include "run/tables/table_format.h"

/* For programs: every column and exact numbers. For people: numbers of four digits. Unless `wide`,
 * columns with the same value in all rows are listed in one line below the table, and columns that
 * do not fit are omitted. Rows that lack cells are reported below it. */
enum err_code stage_table_print(struct table_output *o, const struct stage_table *rows, bool wide,
                                struct err *err);

#endif
