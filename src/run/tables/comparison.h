/*
 * comparison.h - every method against the plain model and against controls, paired by function.
 *
 * Lines are those of the main table.  In each setting (problem, shift, model) and range of k every
 * line is compared with `plain`, and every vector also with the controls of COMPARISON_AGAINST.  So
 * which lines there are follows from the rows of the run.  The tests are on one number a function,
 * its mean over the range and over seeds; p values are adjusted by Holm within a setting and range.
 *
 *     comparison_pool.c   the same of several models that differ in their seed
 *     comparison.c        which lines are compared, and their numbers
 *     comparison_cells.c  the comparisons as columns and cells: results.h5, CSV, JSON
 *     comparison_print.c  the comparisons as people read them
 */
#ifndef RUN_TABLES_COMPARISON_H
#define RUN_TABLES_COMPARISON_H

#include "run/tables/line_pair.h"
#include "run/tables/summary.h"
#include "stats/paired.h"

enum {
    COMPARISON_FLIPS = 9999, /* random sign flips of a test */
    COMPARISON_SEEDS = 4     /* up to so many, the difference of each seed is shown */
};

struct comparison { /* NaN: there is no such number */
    const struct summary_group *line, *other;
    char against[48]; /* the method of `other`; of text also "initial weights", "plain 10-shot" */
    const struct error_range *range;
    size_t models;              /* pretraining seeds: 2 and more only of comparison_pool() */
    size_t seeds;               /* those of models, or repeats of the fit that both lines have */
    double error, other_error;  /* mean over seeds and functions */
    struct interval difference; /* error - other_error, crossed bootstrap */
    struct interval over_seeds; /* Student's t over seeds; low and high only for 2 .. 4 seeds */
    double by_seed[COMPARISON_SEEDS]; /* the difference of each, where there are 2 .. 4 */
    struct paired tests;
    double holm; /* tests.sign_flip, adjusted */
    /* Of comparisons with plain beyond the trained range: summary_recovered(). */
    struct interval recovered;
};

struct comparisons { /* setting by setting, in it range by range, in that vectors, then controls */
    struct comparison *list;
    size_t n, capacity;
    struct sign_flips flips; /* of the number of functions last met */
};

/* *out is {0}; *s must outlive it. ERR_MEMORY. */
enum err_code comparisons_make(struct comparisons *out, struct summary *s, struct err *err);
void comparisons_release(struct comparisons *c); /* idempotent */

/* Two comparisons are of one table: their p values are adjusted together. */
bool comparison_same_table(const struct comparison *a, const struct comparison *b);

/* For comparison_pool.c. The numbers of *c but `recovered`, from the errors of *p, which it
 * overwrites; *c at the end of the list; the p values of each table adjusted. ERR_MEMORY. */
enum err_code comparison_measure(struct comparison *c, struct line_pair *p, struct summary *s,
                                 struct sign_flips *flips, struct err *err);
enum err_code comparisons_append(struct comparisons *out, const struct comparison *c,
                                 struct err *err);
enum err_code comparisons_adjust(struct comparisons *c, struct err *err);
/* It is of plain, beyond the trained range. */
bool comparison_has_recovered(const struct comparison *c);

/* For programs every column of comparison_cells.h; for people sections with ± and notes. */
enum err_code comparisons_print(struct table_output *o, const struct comparisons *c,
                                struct summary *s, const struct summary_layout *layout,
                                struct err *err);

#endif
