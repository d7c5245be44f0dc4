/*
 * summary_lines.h - cells of the main table that other tables of its lines have too.
 */
#ifndef RUN_TABLES_SUMMARY_LINES_H
#define RUN_TABLES_SUMMARY_LINES_H

#include "run/tables/summary_columns.h"

/* The cells of a number: "0.094 Â±0.015", or value, low and high where c->split. */
void summary_interval_cells(struct text_table *t, const struct interval *i,
                            const struct summary_columns *c);
void summary_empty_cells(struct text_table *t, const struct summary_columns *c);

/* The cells of the key columns, in the order of summary_columns_key_heads(). */
void summary_key_cells(struct text_table *t, const struct summary *s, const struct summary_group *g,
                       const struct summary_columns *c);

/* Replaces *out: "shift = noisy, noisy.sigma = 0.5", on demand with keys of the model; empty where
 * the run has one section. */
void summary_section_title(struct text *out, const struct summary *s, const struct summary_group *g,
                           bool with_model);

#endif
