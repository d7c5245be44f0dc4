/*
 * answer_lines.h - the lines of the main table of a stage `evaluate` on text: a method on a task
 * with one kind of prompts.
 *
 * A line stands for all repeats of one fit, or for one control. Its numbers come from the tensors
 * "scores" of the jobs' artifacts: one value for each item and repeat.
 */
#ifndef RUN_TABLES_ANSWER_LINES_H
#define RUN_TABLES_ANSWER_LINES_H

#include "run/rundir/run_state.h"
#include "stats/interval.h"
#include "stats/resamples.h"

enum answer_kind { ANSWER_BASELINE, ANSWER_VECTOR, ANSWER_CONTROL };

struct answer_line {
    struct text method;         /* "ltv heads" */
    struct text fit;            /* keys of the fit that vary: "basis=mean" */
    struct text setting;        /* other keys of the evaluation that vary, as the template */
    const char *source, *shift; /* of its rows; they belong to the run's state */
    int64_t k;                  /* shots */
    enum answer_kind kind;
    size_t items, repeats;
    double *first, *right; /* [repeats, items] 1: the first token, the whole answer is right */
    double *loss;          /* [repeats, items] */
};

struct answer_lines {
    struct answer_line *list;
    size_t n, capacity, missing; /* missing: jobs that are not done yet */
    struct resampler resampler;
};

/* *out is {0}; *r must outlive it. ERR_DATA or ERR_IO for an artifact that cannot be read. */
enum err_code answer_lines_make(struct answer_lines *out, const struct run_state *r, size_t stage,
                                struct err *err);
void answer_lines_release(struct answer_lines *a);

/* The mean of x [repeats, items] of a line with its 95% interval: t over items of one repeat, else
 * a crossed bootstrap over repeats and items. ERR_MEMORY. */
enum err_code answer_line_mean(struct interval *out, struct answer_lines *a,
                               const struct answer_line *line, const double *x, struct err *err);

/* Accuracy of `plain` with shuffled labels, over that with true ones, at the most shots that the
 * task has both of; NaN: there are none. From ANSWER_HARMLESS on shuffling is no corruption. */
#define ANSWER_HARMLESS 0.8
double answer_lines_shuffled_share(const struct answer_lines *a, const struct answer_line *of);

/* Share of items and repeats whose answer is less likely than under `plain` on the same prompts;
 * NaN for plain itself, and where it was not evaluated. */
double answer_lines_worse(const struct answer_lines *a, const struct answer_line *of);

bool answer_line_same_task(const struct answer_line *a, const struct answer_line *b);
bool answer_line_same_method(const struct answer_line *a, const struct answer_line *b);

#endif
