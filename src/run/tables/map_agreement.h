/*
 * map_agreement.h - how far maps of heads agree: two maps of one fit, and one map of two fits that
 * differ in their repeat alone (not the effects, which do not depend on the fit).
 *
 * Rows come from a stage `importance`. Weights and changes are ordered by size, the others by
 * value.
 */
#ifndef RUN_TABLES_MAP_AGREEMENT_H
#define RUN_TABLES_MAP_AGREEMENT_H

#include "run/tables/stage_table.h"

/* *out: a table with a row for each pair of maps, released by stage_table_release(); *rows is that
 * of a stage `importance` and must outlive it. ERR_MEMORY. */
enum err_code map_agreement_make(struct stage_table *out, const struct stage_table *rows,
                                 struct err *err);

#endif
