#include "run/reproduce/reproduced.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/tables/text_table.h"

enum { LINES_OF_VALUE = 12 }; /* a value with more points has one line */

enum reproduced_verdict reproduced_judge(const struct reproduced_point *p) {
    if (isnan(p->reference)) return REPRODUCED_NO_REFERENCE;
    const bool passed = fabs(p->value - p->reference) <= p->tolerance; /* NaN is not */
    return passed ? REPRODUCED_PASS : REPRODUCED_FAIL;
}

static struct reproduced_line *new_line(struct reproduced *r, const char *name) {
    if (r->n == r->capacity) {
        const size_t capacity = r->capacity ? 2 * r->capacity : 64;
        struct reproduced_line *more = realloc(r->lines, capacity * sizeof *more);
        if (!more) return NULL;
        r->lines = more;
        r->capacity = capacity;
    }
    struct reproduced_line *line = &r->lines[r->n++];
    *line = (struct reproduced_line){0};
    (void)snprintf(line->name, sizeof line->name, "%s", name);
    return line;
}

/* How far a point is from its reference, in tolerances; a failure is larger than any that passes.
 */
static double distance(const struct reproduced_point *p) {
    const double d = fabs(p->value - p->reference) / p->tolerance;
    if (reproduced_judge(p) != REPRODUCED_FAIL) return isnan(d) ? 0.0 : d;
    return isnan(d) ? HUGE_VAL : d;
}

static enum err_code add_points(struct reproduced *r, const char *name,
                                const struct reproduced_point *points, size_t n, struct err *err) {
    struct reproduced_line *line = new_line(r, name);
    if (!line) return ERR(err, ERR_MEMORY, "no memory for %zu values", r->n);
    line->point = points[0];
    line->points = n;
    for (size_t i = 0; i < n; i++) {
        line->passed += reproduced_judge(&points[i]) == REPRODUCED_PASS;
        if (distance(&points[i]) > distance(&line->point)) line->point = points[i];
        r->by_error += points[i].by_error;
        r->within_half += points[i].by_error && points[i].within_half;
    }
    return ERR_OK;
}

enum err_code reproduced_add(struct reproduced *r, const char *name,
                             const struct reproduced_point *points, size_t n, bool whole,
                             struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t step = whole || n <= LINES_OF_VALUE ? 1 : n;
    for (size_t i = 0; i < n; i += step) TRY(add_points(r, name, points + i, step, err));
cleanup:
    return rc;
}

enum err_code reproduced_add_remark(struct reproduced *r, const char *name, const char *remark,
                                    struct err *err) {
    struct reproduced_line *line = new_line(r, name);
    if (!line) return ERR(err, ERR_MEMORY, "no memory for %zu values", r->n);
    line->point =
        (struct reproduced_point){.value = nan(""), .reference = nan(""), .tolerance = nan("")};
    line->points = 1;
    (void)snprintf(line->remark, sizeof line->remark, "%s", remark);
    return ERR_OK;
}

void reproduced_release(struct reproduced *r) {
    free(r->lines);
    *r = (struct reproduced){0};
}

/* ---- the table */

static void number_cell(struct text_table *t, double x) {
    if (isnan(x))
        text_table_cell(t, "-");
    else
        text_table_cell(t, "%.4g", x);
}

static void line_cells(struct text_table *t, const struct reproduced_line *line, size_t count[3]) {
    static const char *const WORDS[] = {"PASS", "FAIL", "no reference"};
    const struct reproduced_point *p = &line->point;
    const enum reproduced_verdict verdict = reproduced_judge(p);
    count[verdict]++;
    text_table_copy_cell(t, line->name);
    text_table_copy_cell(t, p->at);
    number_cell(t, p->value);
    number_cell(t, p->reference);
    number_cell(t, p->tolerance);
    if (line->remark[0])
        text_table_cell(t, "%s: %s", WORDS[verdict], line->remark);
    else if (line->points > 1)
        text_table_cell(t, "%s: %zu of %zu points, this is the farthest", WORDS[verdict],
                        line->passed, line->points);
    else
        text_table_cell(t, "%s", WORDS[verdict]);
}

static void heads(struct text_table *t) {
    static const char *const HEADS[] = {"value", "k", "ours", "reference", "tolerance", "verdict"};
    for (size_t c = 0; c < t->columns; c++) {
        text_table_cell(t, "%s", HEADS[c]);
        if (c > 0 && c + 1 < t->columns) text_table_align_right(t, c);
    }
}

/* Whether few enough points are beyond half of their tolerance. */
static bool print_share(struct text *out, const struct reproduced *r) {
    const size_t beyond = r->by_error - r->within_half;
    const double most = ceil(REPRODUCED_BEYOND * (double)r->by_error);
    const bool passed = (double)beyond <= most;
    if (r->by_error == 0) return true;
    text_add(out, "%s: %zu of %zu points are farther away than %d standard errors; %g may be\n",
             passed ? "PASS" : "FAIL", beyond, r->by_error, REPRODUCED_ERRORS / 2, most);
    return passed;
}

enum err_code reproduced_print(struct text *out, bool *failed, const struct reproduced *r,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    struct text_table t = {0};
    size_t count[3] = {0};
    TRY(text_table_init(&t, 6, err));
    heads(&t);
    for (size_t i = 0; i < r->n; i++) line_cells(&t, &r->lines[i], count);
    TRY(text_table_check(&t, err));
    TRY(text_table_print(out, NULL, &t, SIZE_MAX, err));
    *failed = !print_share(out, r) || count[REPRODUCED_FAIL] > 0;
    text_add(out, "%zu PASS, %zu FAIL, %zu no reference\n", count[REPRODUCED_PASS],
             count[REPRODUCED_FAIL], count[REPRODUCED_NO_REFERENCE]);
cleanup:
    text_table_release(&t);
    return rc;
}
