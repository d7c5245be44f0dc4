/*
 * summary_columns.h - which columns the main table has, and its header.
 *
 * What is a column depends on the lines (a key that varies, a statistic that some line has) and on
 * the reader: programs get every key, low and high of every interval, and names that are
 * identifiers.
 */
#ifndef RUN_TABLES_SUMMARY_COLUMNS_H
#define RUN_TABLES_SUMMARY_COLUMNS_H

#include "run/tables/summary.h"
#include "run/tables/summary_statistics.h"
#include "run/tables/text_table.h"

/* Columns in the order of keys, repeats, ranges, statistics. */
struct summary_columns {
    bool programs, wide, split;    /* for programs; every column; low and high */
    struct error_range ranges[64]; /* distinct ones, as met */
    size_t n_ranges;
    bool statistic[SUMMARY_STATISTICS_N]; /* some line has such a number */
    bool key[SUMMARY_KEYS];               /* the key has a column */
    size_t least_repeats, most_repeats;   /* of the fits */
    const char *fit_points;               /* of the first fit; NULL: there is none */
    bool several_fit_points;              /* other fits have others */
};

/* The first keys of every line; further ones are axes. */
enum { KEY_METHOD, KEY_READING, KEY_FIT_POINTS };

/* Fills the members from ranges on; programs, wide and split are the caller's. */
void summary_columns_find(struct summary_columns *c, struct summary *s);
size_t summary_columns_count(const struct summary_columns *c, const struct summary *s);

/* The header, with the alignment of every column and its rank: columns of the highest rank are
 * omitted first on a narrow terminal. */
void summary_columns_heads(struct text_table *t, const struct summary *s,
                           const struct summary_columns *c);

/* Parts of it, from *column on, which they advance: the key columns, and one number. */
void summary_columns_key_heads(struct text_table *t, size_t *column, const struct summary *s,
                               const struct summary_columns *c);
void summary_columns_number_head(struct text_table *t, size_t *column, const char *name, int rank,
                                 const struct summary_columns *c);

/* The name of a key's column. For people the stage and the method are omitted where no other key
 * has the same ending. */
const char *summary_columns_head(const struct summary *s, size_t key,
                                 const struct summary_columns *c);

/* "corruption" of "fit.fv.corruption". */
const char *summary_columns_last_part(const char *key);

#endif
