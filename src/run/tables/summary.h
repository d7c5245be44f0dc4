/*
 * summary.h - the main table: every method at every range of k, with intervals.
 *
 * One line stands for all repeats of one fit, or for one control, in one setting.  Its numbers come
 * from the tensors "errors" [functions, points] that evaluate's jobs leave: each function's mean
 * over the range and over repeats is one value, the interval is 95% t over functions.  Two more
 * columns say what a method does to the plain model: the damage where that works, and how much of
 * what it loses beyond its range comes back.  Where lines of several fit stages would look the
 * same, a column `of` tells them apart.  Estimators of the same source stand below, in the ranges
 * of the models.
 */
#ifndef RUN_TABLES_SUMMARY_H
#define RUN_TABLES_SUMMARY_H

#include "run/rundir/run_state.h"
#include "run/tables/error_ranges.h"
#include "run/tables/text_table.h"

enum { SUMMARY_KEYS = 40, SUMMARY_TRAINED = REDUCE_RANGES, SUMMARY_SUMS };

struct summary_group {
    struct text keys[SUMMARY_KEYS]; /* method, reading, fit_points, axes in use, perhaps `of` */
    struct text setting;            /* run, stage, model, axes of evaluate: what may be compared */
    struct text fit; /* every key of the fit but repeat: only repeats are averaged over */
    const char *of;  /* the stage of the fit, or "-" */
    bool estimator;  /* not a method: below them all */
    size_t n_keys, functions, points, repeats;
    struct error_range ranges[SUMMARY_SUMS]; /* the last one is k = 0 .. trained - 1 */
    size_t n_ranges;                         /* of the printed ones */
    bool has_trained;
    double *sums; /* [SUMMARY_SUMS, functions], over repeats */
};

struct summary {
    struct text heads[SUMMARY_KEYS];
    size_t n_keys;
    struct summary_group *groups;
    size_t n, capacity;
    size_t trained; /* points, of the last model evaluated; 0: unknown */
    size_t missing; /* evaluations that are not done yet */
};

/* Fills *s, which is {0}, with every finished job of a stage `evaluate` or `estimate`; of the
 * former with those of all `estimate` stages on its sources too. */
enum err_code summary_make(struct summary *s, const struct run_state *r, size_t stage,
                           struct err *err);
enum err_code summary_print(struct text *out, const struct summary *s,
                            enum text_table_format format, struct err *err);
void summary_release(struct summary *s); /* idempotent */

/* Every job of this `estimate` stage stands in the table of some evaluation. */
bool summary_is_joined(const struct plan *p, size_t stage);

/* The last number of examples within the model's trained range plus 1; 0: unknown. */
size_t summary_trained_points(const struct plan *p, size_t job);

#endif
