/*
 * summary.h - the main table: every method at every range of k, with intervals.
 *
 * One line stands for all repeats of one fit, or for one control, in one setting.  Its numbers come
 * from the tensors "errors" [functions, points] that the jobs of `evaluate` and `estimate` write: a
 * function's mean over a range of k is one value for every repeat.  Intervals are 95%: t over
 * functions of a line with one repeat, else a crossed bootstrap over repeats and functions.
 * summary_statistics.h has the columns that compare a line with others, as the share of the error
 * that a vector recovers.  Estimators of the same source are lines too, in the ranges of the
 * models. Evaluations on text are lines for comparisons alone (summary_text.h); their main table is
 * answer_table.h.
 *
 *     summary_groups.c      which jobs a line stands for, and what its key columns are
 *     summary.c             reads the errors of all jobs
 *     summary_statistics.c  numbers that compare lines
 *     summary_lines.c       cells of a line
 *     summary_columns.c     which columns the table has, and its header
 *     summary_print.c       the order of its lines, titles and notes
 */
#ifndef RUN_TABLES_SUMMARY_H
#define RUN_TABLES_SUMMARY_H

#include "run/rundir/run_state.h"
#include "run/tables/error_ranges.h"
#include "run/tables/table_format.h"
#include "stats/interval.h"
#include "stats/resamples.h"

enum { SUMMARY_KEYS = 40, SUMMARY_TRAINED = ERROR_RANGES, SUMMARY_SUMS };

enum { SUMMARY_RESAMPLES = 2000 };             /* of a bootstrap */
static const double SUMMARY_CONFIDENCE = 0.95; /* of all intervals */

enum summary_kind { /* what a line is; the order of lines within a section */
                    SUMMARY_BASELINE,
                    SUMMARY_VECTOR,
                    SUMMARY_CONTROL,
                    SUMMARY_ESTIMATOR
};

struct summary_group {              /* one line */
    struct text keys[SUMMARY_KEYS]; /* method, reading, fit_points, axes in use, values that were
                                       chosen, perhaps `of` */
    struct text setting; /* run, stage, model, axes of evaluate: lines that may be compared */
    struct text fit;     /* every key of the fit but repeat: only repeats are averaged over */
    const char *of;      /* the stage of the fit, or "-" */
    size_t job;          /* of its first repeat */
    const char *source, *shift; /* of its rows; they belong to the run's state */
    const char *error;          /* what its numbers are: prompt_loss_error_name() */
    enum summary_kind kind;
    bool fitted; /* on prompts: a vector, or a control that is learned */
    size_t n_keys, functions, points, repeats;
    struct error_range ranges[SUMMARY_SUMS]; /* the last one is k = 0 .. trained - 1 */
    size_t n_ranges;                         /* of the printed ones */
    bool has_trained;
    double *errors;  /* [SUMMARY_SUMS, repeats, functions], means over the ranges */
    int64_t *repeat; /* [repeats]: the number of each */
};

struct summary {
    struct text heads[SUMMARY_KEYS];
    bool of_section[SUMMARY_KEYS];   /* the key tells sections apart: evaluate's own axes, models */
    bool of_model[SUMMARY_KEYS];     /* of these the keys of the model */
    bool of_estimator[SUMMARY_KEYS]; /* `reading` shows it to people */
    bool of_choice[SUMMARY_KEYS];    /* the value that choices made; repeats may have several */
    bool number[SUMMARY_KEYS];
    bool varies[SUMMARY_KEYS]; /* among the lines; programs get the others too */
    size_t n_keys;
    struct summary_group *groups;
    size_t n, capacity;
    size_t trained;             /* points, of the last model evaluated; 0: unknown */
    size_t missing;             /* evaluations that are not done yet */
    struct resampler resampler; /* of all bootstraps: every line sees the same resamples */
};

struct summary_layout { /* on demand */
    bool wide;          /* every column, in full width */
    bool intervals;     /* columns low and high instead of ±; programs always get them */
};

/* Fills *s, which is {0}, with every finished job of a stage `evaluate` or `estimate`; to the jobs
 * of an `evaluate` stage it adds those of all `estimate` stages on the same sources. ERR_DATA or
 * ERR_IO for an artifact that cannot be read. */
enum err_code summary_make(struct summary *s, const struct run_state *r, size_t stage,
                           struct err *err);
enum err_code summary_print(struct table_output *o, struct summary *s,
                            const struct summary_layout *layout, struct err *err);
void summary_release(struct summary *s); /* idempotent */

/* Errors of one range, [repeats, functions]. */
const double *summary_errors(const struct summary_group *g, size_t range);

/* The mean error of one range with its 95% interval. ERR_MEMORY. */
enum err_code summary_interval(struct interval *out, struct summary *s,
                               const struct summary_group *g, size_t range, struct err *err);

/* Every job of this `estimate` stage has a line in the table of some `evaluate` stage. */
bool summary_is_joined(const struct plan *p, size_t stage);

#endif
