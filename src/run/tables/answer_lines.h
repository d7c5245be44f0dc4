/*
 * answer_lines.h - the lines of the main table of a stage `evaluate` on text: a method on a task
 * with one kind of prompts.
 *
 * A line stands for all repeats of one fit, or for one control. Its numbers come from the tensors
 * of the jobs' artifacts: one value for each measure, item and repeat.
 *
 *     answer_lines.c       which lines there are, and their numbers
 *     answer_statistics.c  means, and what the plain model says about a task
 *     answer_table.c       the table as people read it
 *     answer_rows.c        the same for programs
 */
#ifndef RUN_TABLES_ANSWER_LINES_H
#define RUN_TABLES_ANSWER_LINES_H

#include "run/rundir/run_state.h"
#include "run/tables/answer_labels.h"
#include "run/tables/answer_measures.h"
#include "stats/interval.h"
#include "stats/resamples.h"

enum answer_kind { ANSWER_BASELINE, ANSWER_VECTOR, ANSWER_CONTROL };

struct answer_line {
    struct text method;  /* "ltv heads" */
    struct text fit;     /* answer_fit.h: "initial, basis=mean" */
    struct text setting; /* other keys of the evaluation and of its model that vary */
    struct text task;    /* its name, with the folders that tell it from others */
    const char *shift;   /* of its rows; it belongs to the run's state */
    int64_t k;           /* shots */
    enum answer_kind kind;
    size_t items, repeats, crossed;
    size_t of_task, of_method;    /* of struct answer_lines */
    double *x[ANSWER_MEASURES_N]; /* [repeats, items] each; NaN: not known */
};

/* What shuffling the labels of a task does to plain, at the most shots that both were evaluated
 * with; k 0: they were not. */
struct answer_effect {
    int64_t k;
    double clean, shuffled; /* accuracy */
};

/* Shuffling is no corruption where plain keeps this share of its accuracy, or more. */
#define ANSWER_HARMLESS 0.8

double answer_effect_share(const struct answer_effect *e); /* shuffled / clean; NaN: not known */
/* Appends "; plain 10-shot 0.840, shuffled 0.120"; nothing where it is not known. */
void answer_effect_describe(struct text *out, const struct answer_effect *e);

struct answer_task {
    size_t line; /* the first one */
    struct answer_effect effect;
    double share;  /* answer_effect_share() */
    bool harmless; /* it is ANSWER_HARMLESS or more */
};

/* What d_ntp compares with: plain with true labels at the most shots of a task. */
struct answer_reference {
    struct answer_line of; /* task, setting and k alone */
    struct answer_labels labels;
};

struct answer_lines {
    struct answer_line *list;
    size_t n, capacity, missing; /* missing: jobs that are not done yet */
    struct answer_task *tasks;
    size_t *methods; /* the first line of each method */
    size_t n_tasks, n_methods;
    struct answer_reference *references;
    size_t n_references;
    struct resampler resampler;
};

/* *out is {0}; *r must outlive it. ERR_DATA or ERR_IO for an artifact that cannot be read. */
enum err_code answer_lines_make(struct answer_lines *out, const struct run_state *r, size_t stage,
                                struct err *err);
void answer_lines_release(struct answer_lines *a);
/* For answer_lines_make(), once all lines are there: tasks, methods, MEASURE_WORSE. ERR_MEMORY. */
enum err_code answer_lines_relate(struct answer_lines *a, struct err *err);

/* The mean of a measure of a line; NaN where it is not known. */
double answer_line_value(const struct answer_line *line, enum answer_measure measure);
/* The same with its 95% interval: t over items of one repeat, else a crossed bootstrap over repeats
 * and items. ERR_MEMORY. */
enum err_code answer_line_mean(struct interval *out, struct answer_lines *a,
                               const struct answer_line *line, enum answer_measure measure,
                               struct err *err);

/* Appends "antonym *, template={x}: {y}" and "128 items; plain 10-shot 0.840, shuffled 0.120". */
void answer_lines_name_task(struct text *out, const struct answer_lines *a,
                            const struct answer_task *task);
void answer_lines_describe_task(struct text *out, const struct answer_lines *a,
                                const struct answer_task *task);

bool answer_line_same_task(const struct answer_line *a, const struct answer_line *b);
bool answer_line_same_method(const struct answer_line *a, const struct answer_line *b);

#endif
