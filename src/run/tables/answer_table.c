#include "run/tables/answer_table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/tables/cell_text.h"

/* ---- for programs */

static const char *const KIND_NAMES[] = {"baseline", "vector", "control"};
static const char *const HEADS[] = {"method",
                                    "fit",
                                    "task",
                                    "setting",
                                    "k",
                                    "shift",
                                    "items",
                                    "repeats",
                                    "accuracy",
                                    "accuracy_low",
                                    "accuracy_high",
                                    "first_accuracy",
                                    "first_low",
                                    "first_high",
                                    "loss",
                                    "worse",
                                    "shuffled_share",
                                    "kind"};
enum { HEADS_N = sizeof HEADS / sizeof *HEADS, HEADS_TEXT = 4 };

static bool is_number_column(size_t c) {
    return c >= HEADS_TEXT && strcmp(HEADS[c], "shift") != 0 && strcmp(HEADS[c], "kind") != 0;
}

static void exact(struct text_table *t, double value) {
    char cell[CELL_TEXT];
    cell_text_exact(cell, value);
    text_table_cell(t, "%s", cell);
}

static enum err_code exact_mean(struct text_table *t, struct answer_lines *a,
                                const struct answer_line *line, const double *x, bool ends,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    struct interval mean;
    TRY(answer_line_mean(&mean, a, line, x, err));
    exact(t, mean.value);
    if (ends) exact(t, mean.low), exact(t, mean.high);
cleanup:
    return rc;
}

static enum err_code add_program_line(struct text_table *t, struct answer_lines *a,
                                      const struct answer_line *line, struct err *err) {
    enum err_code rc = ERR_OK;
    text_table_copy_cell(t, text_str(&line->method));
    text_table_copy_cell(t, text_str(&line->fit));
    text_table_copy_cell(t, line->source);
    text_table_copy_cell(t, text_str(&line->setting));
    text_table_cell(t, "%" PRId64, line->k);
    text_table_cell(t, "%s", line->shift);
    text_table_cell(t, "%zu", line->items);
    text_table_cell(t, "%zu", line->repeats);
    TRY(exact_mean(t, a, line, line->right, true, err));
    TRY(exact_mean(t, a, line, line->first, true, err));
    TRY(exact_mean(t, a, line, line->loss, false, err));
    exact(t, answer_lines_worse(a, line));
    exact(t, answer_lines_shuffled_share(a, line));
    text_table_cell(t, "%s", KIND_NAMES[line->kind]);
cleanup:
    return rc;
}

static enum err_code print_for_programs(struct table_output *o, struct answer_lines *a,
                                        struct err *err) {
    enum err_code rc = ERR_OK;
    struct text_table t = {0};
    TRY(text_table_init(&t, HEADS_N, err));
    for (size_t c = 0; c < HEADS_N; c++) {
        text_table_cell(&t, "%s", HEADS[c]);
        if (is_number_column(c)) text_table_align_right(&t, c);
    }
    for (size_t i = 0; i < a->n; i++) TRY(add_program_line(&t, a, &a->list[i], err));
    TRY(table_output_put(o, NULL, &t, err));
cleanup:
    text_table_release(&t);
    return rc;
}

/* ---- for people: a column for each kind of prompts */

struct prompt_kind {
    int64_t k;
    bool shuffled;
};

enum { PROMPT_KINDS = 16 };

struct people { /* what the table shows */
    struct prompt_kind prompts[PROMPT_KINDS];
    size_t n_prompts;
    bool fit, intervals; /* a column for the keys of fits; ends of intervals */
};

/* Without shots no label is shown. */
static struct prompt_kind kind_of_line(const struct answer_line *line) {
    return (struct prompt_kind){line->k, line->k > 0 && strcmp(line->shift, "none") != 0};
}

static bool same_prompts(struct prompt_kind a, struct prompt_kind b) {
    return a.k == b.k && a.shuffled == b.shuffled;
}

/* The most shots first, true labels before shuffled ones, zero-shot prompts last. */
static bool comes_before(struct prompt_kind a, struct prompt_kind b) {
    if ((a.k == 0) != (b.k == 0)) return b.k == 0;
    if (a.shuffled != b.shuffled) return b.shuffled;
    return a.k > b.k;
}

static void add_prompts(struct people *p, struct prompt_kind kind) {
    size_t at = 0;
    while (at < p->n_prompts && comes_before(p->prompts[at], kind)) at++;
    if (p->n_prompts == PROMPT_KINDS || (at < p->n_prompts && same_prompts(p->prompts[at], kind)))
        return;
    memmove(p->prompts + at + 1, p->prompts + at, (p->n_prompts - at) * sizeof *p->prompts);
    p->prompts[at] = kind;
    p->n_prompts++;
}

static void find_people(struct people *p, const struct answer_lines *a) {
    for (size_t i = 0; i < a->n; i++) {
        add_prompts(p, kind_of_line(&a->list[i]));
        p->fit |= a->list[i].fit.size > 0;
    }
}

static const struct answer_line *find_line(const struct answer_lines *a,
                                           const struct answer_line *of, struct prompt_kind kind) {
    for (size_t i = 0; i < a->n; i++)
        if (answer_line_same_task(&a->list[i], of) && answer_line_same_method(&a->list[i], of) &&
            same_prompts(kind_of_line(&a->list[i]), kind))
            return &a->list[i];
    return NULL;
}

static void add_heads(struct text_table *t, const struct people *p) {
    size_t c = 1;
    text_table_cell(t, "method");
    if (p->fit) text_table_cell(t, "fit"), c++;
    for (size_t i = 0; i < p->n_prompts; i++) {
        text_table_cell(t, "%" PRId64 "-shot%s", p->prompts[i].k,
                        p->prompts[i].shuffled ? " shuffled" : "");
        text_table_align_right(t, c++);
        if (!p->intervals) continue;
        text_table_cell(t, "low"), text_table_align_right(t, c++);
        text_table_cell(t, "high"), text_table_align_right(t, c++);
    }
}

static void add_interval(struct text_table *t, const struct people *p,
                         const struct interval *mean) {
    const double values[] = {mean->value, mean->low, mean->high};
    char cell[CELL_TEXT];
    for (size_t i = 0; p->intervals && i < 3; i++) {
        cell_text_short(cell, values[i]);
        text_table_cell(t, "%s", cell);
    }
    if (p->intervals) return;
    if (isnan(mean->low))
        cell_text_short(cell, mean->value);
    else
        cell_text_interval(cell, mean);
    text_table_cell(t, "%s", cell);
}

static void add_method(struct text_table *t, const struct people *p,
                       const struct answer_line *line) {
    text_table_copy_cell(t, text_str(&line->method));
    if (p->fit) text_table_copy_cell(t, line->fit.size ? text_str(&line->fit) : "-");
}

static const struct interval NONE = {NAN, NAN, NAN};

static enum err_code add_people_line(struct text_table *t, const struct people *p,
                                     struct answer_lines *a, const struct answer_line *of,
                                     struct err *err) {
    enum err_code rc = ERR_OK;
    add_method(t, p, of);
    for (size_t i = 0; i < p->n_prompts; i++) {
        const struct answer_line *line = find_line(a, of, p->prompts[i]);
        struct interval mean = NONE;
        if (line) TRY(answer_line_mean(&mean, a, line, line->right, err));
        add_interval(t, p, &mean);
    }
cleanup:
    return rc;
}

/* ---- sections */

static bool is_first_of_task(const struct answer_lines *a, size_t i) {
    for (size_t k = 0; k < i; k++)
        if (answer_line_same_task(&a->list[k], &a->list[i])) return false;
    return true;
}

static bool is_first_of_method(const struct answer_lines *a, size_t i, bool in_task) {
    for (size_t k = 0; k < i; k++)
        if (answer_line_same_method(&a->list[k], &a->list[i]) &&
            (!in_task || answer_line_same_task(&a->list[k], &a->list[i])))
            return false;
    return true;
}

static bool is_harmless(const struct answer_lines *a, const struct answer_line *of) {
    return answer_lines_shuffled_share(a, of) >= ANSWER_HARMLESS;
}

static void add_task_title(struct text_table *t, const struct answer_lines *a,
                           const struct answer_line *of) {
    struct text title = {0};
    text_add(&title, "%s%s%s%s (%zu items)", of->source, is_harmless(a, of) ? " *" : "",
             of->setting.size ? ", " : "", text_str(&of->setting), of->items);
    text_table_title(t, true, text_str(&title));
    t->failed |= title.failed;
    text_release(&title);
}

static enum err_code add_task(struct text_table *t, const struct people *p, struct answer_lines *a,
                              const struct answer_line *of, struct err *err) {
    enum err_code rc = ERR_OK;
    add_task_title(t, a, of);
    for (enum answer_kind kind = ANSWER_BASELINE; kind <= ANSWER_CONTROL; kind++)
        for (size_t i = 0; i < a->n; i++)
            if (a->list[i].kind == kind && answer_line_same_task(&a->list[i], of) &&
                is_first_of_method(a, i, true))
                TRY(add_people_line(t, p, a, &a->list[i], err));
cleanup:
    return rc;
}

/* ---- means over tasks */

/* The mean over tasks of the mean of each, with a t interval over tasks. x [a->n] is scratch. */
static enum err_code mean_of_tasks(struct interval *out, struct answer_lines *a,
                                   const struct answer_line *method, struct prompt_kind kind,
                                   bool all, double *x, struct err *err) {
    enum err_code rc = ERR_OK;
    struct interval mean;
    size_t n = 0;
    for (size_t i = 0; i < a->n; i++) {
        const struct answer_line *line = &a->list[i];
        if (!answer_line_same_method(line, method) || find_line(a, line, kind) != line ||
            (!all && is_harmless(a, line)))
            continue;
        TRY(answer_line_mean(&mean, a, line, line->right, err));
        x[n++] = mean.value;
    }
    *out = n > 0 ? interval_t(x, n, 0.95) : NONE;
cleanup:
    return rc;
}

static size_t count_tasks(const struct answer_lines *a, bool all) {
    size_t n = 0;
    for (size_t i = 0; i < a->n; i++)
        n += is_first_of_task(a, i) && (all || !is_harmless(a, &a->list[i]));
    return n;
}

static enum err_code add_mean_line(struct text_table *t, const struct people *p,
                                   struct answer_lines *a, const struct answer_line *method,
                                   bool all, double *x, struct err *err) {
    enum err_code rc = ERR_OK;
    add_method(t, p, method);
    for (size_t c = 0; c < p->n_prompts; c++) {
        struct interval mean;
        TRY(mean_of_tasks(&mean, a, method, p->prompts[c], all, x, err));
        add_interval(t, p, &mean);
    }
cleanup:
    return rc;
}

/* all: over every task; else over those that shuffled labels harm. */
static enum err_code add_means(struct text_table *t, const struct people *p, struct answer_lines *a,
                               bool all, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t tasks = count_tasks(a, all);
    char title[96];
    double *x = calloc(a->n, sizeof *x);
    CHECK(x, ERR_MEMORY, "no memory for the means of %zu lines", a->n);
    (void)snprintf(title, sizeof title, all ? "mean over %zu tasks" : "mean over the %zu without *",
                   tasks);
    if (tasks > 0) text_table_title(t, true, title);
    for (enum answer_kind kind = ANSWER_BASELINE; kind <= ANSWER_CONTROL && tasks > 0; kind++)
        for (size_t i = 0; i < a->n; i++)
            if (a->list[i].kind == kind && is_first_of_method(a, i, false))
                TRY(add_mean_line(t, p, a, &a->list[i], all, x, err));
cleanup:
    free(x);
    return rc;
}

/* ---- the whole table */

static void add_notes(struct table_output *o, const struct answer_lines *a, const struct people *p,
                      const struct text *hidden) {
    struct text out = {0};
    const size_t all = count_tasks(a, true), harmed = count_tasks(a, false);
    text_add(&out,
             "Share of items whose whole answer is the most likely, token by token; %s 95%% "
             "interval over items%s%s.",
             p->intervals ? "low, high:" : "\xC2\xB1: half the",
             "; of several repeats over repeats and items", all > 1 ? "; of means over tasks" : "");
    if (harmed < all)
        text_add(&out,
                 " *: the plain model with shuffled labels reaches %g of its accuracy with true "
                 "ones or more, so shuffling is no corruption there.",
                 ANSWER_HARMLESS);
    if (hidden->size) text_add(&out, " Columns that did not fit: %s.", text_str(hidden));
    if (a->missing)
        text_add(&out, " %zu evaluation%s left to run.", a->missing, text_plural(a->missing));
    text_add(o->out, o->format == TABLE_LATEX ? "%% " : "\n");
    text_table_paragraph(o->out, text_str(&out), o->format == TABLE_TEXT ? o->width : SIZE_MAX);
    if (out.failed) o->out->failed = true;
    text_release(&out);
}

static enum err_code print_for_people(struct table_output *o, struct answer_lines *a,
                                      bool intervals, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text_table t = {0};
    struct text hidden = {0};
    struct people p = {.intervals = intervals};
    find_people(&p, a);
    TRY(text_table_init(&t, 1 + p.fit + p.n_prompts * (intervals ? 3 : 1), err));
    add_heads(&t, &p);
    for (size_t i = 0; i < a->n; i++)
        if (is_first_of_task(a, i)) TRY(add_task(&t, &p, a, &a->list[i], err));
    if (count_tasks(a, true) > 1) TRY(add_means(&t, &p, a, true, err));
    if (count_tasks(a, false) < count_tasks(a, true)) TRY(add_means(&t, &p, a, false, err));
    TRY(table_output_put(o, &hidden, &t, err));
    add_notes(o, a, &p, &hidden);
cleanup:
    text_release(&hidden);
    text_table_release(&t);
    return rc;
}

enum err_code answer_table_print(struct table_output *o, struct answer_lines *a, bool intervals,
                                 struct err *err) {
    if (table_format_is_for_programs(o->format)) return print_for_programs(o, a, err);
    if (a->n > 0) return print_for_people(o, a, intervals, err);
    text_add(o->out, "No evaluation is done yet; %zu job%s left.\n", a->missing,
             text_plural(a->missing));
    return ERR_OK;
}
