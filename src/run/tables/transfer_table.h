/*
 * transfer_table.h - errors of fits at the lengths and on the sources of other fits: a line for
 * each setting of a fit and each source that it is evaluated on, a column for each number of
 * examples that the prompts of some fit show before their query.
 *
 * Fits at lengths L evaluated after L' - 1 examples form a square; a fit on one problem that is
 * evaluated on two has two lines. The errors are means over repeats of a fit.
 */
#ifndef RUN_TABLES_TRANSFER_TABLE_H
#define RUN_TABLES_TRANSFER_TABLE_H

#include "run/tables/stage_table.h"

/* *out is released by stage_table_release(); *rows is that of a stage `evaluate` of functions and
 * must outlive it. ERR_USAGE where no fit has a length; ERR_MEMORY. */
enum err_code transfer_table_make(struct stage_table *out, const struct stage_table *rows,
                                  struct err *err);

#endif
