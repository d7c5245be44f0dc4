#include "run/tables/answer_table.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/tables/cell_text.h"
#include "run/tables/summary.h"

/* ---- kinds of prompts */

struct prompt_kind {
    int64_t k;
    bool shuffled;
};

enum { PROMPT_KINDS = 16 };

struct people { /* what the table for people shows */
    struct prompt_kind prompts[PROMPT_KINDS];
    size_t n_prompts;
    size_t all, harmed; /* tasks, and those without * */
    bool fit;           /* a column for the keys of fits */
    const struct answer_layout *layout;
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
    p->all = a->n_tasks;
    for (size_t t = 0; t < a->n_tasks; t++) p->harmed += !a->tasks[t].harmless;
}

static void name_prompts(struct text_table *t, struct prompt_kind kind) {
    text_table_cell(t, "%" PRId64 "-shot%s", kind.k, kind.shuffled ? " shuffled" : "");
}

/* NULL: it was not evaluated. */
static const struct answer_line *find_line(const struct answer_lines *a, size_t task, size_t method,
                                           struct prompt_kind kind) {
    for (size_t i = 0; i < a->n; i++)
        if (a->list[i].of_task == task && a->list[i].of_method == method &&
            same_prompts(kind_of_line(&a->list[i]), kind))
            return &a->list[i];
    return NULL;
}

static enum answer_kind kind_of_method(const struct answer_lines *a, size_t method) {
    return a->list[a->methods[method]].kind;
}

/* ---- cells */

static const struct interval NONE = {NAN, NAN, NAN};

static void end_heads(struct text_table *t, const struct people *p, size_t *column, int rank) {
    const size_t n = p->layout->intervals ? 3 : 1;
    if (p->layout->intervals) text_table_cell(t, "low"), text_table_cell(t, "high");
    for (size_t i = 0; i < n; i++) {
        text_table_set_rank(t, *column, rank);
        text_table_align_right(t, (*column)++);
    }
}

static void method_heads(struct text_table *t, const struct people *p, size_t *column) {
    text_table_cell(t, "method"), (*column)++;
    if (p->fit) text_table_cell(t, "fit"), (*column)++;
}

static void add_method(struct text_table *t, const struct people *p,
                       const struct answer_line *line) {
    text_table_copy_cell(t, text_str(&line->method));
    if (p->fit) text_table_copy_cell(t, line->fit.size ? text_str(&line->fit) : "-");
}

static void add_interval(struct text_table *t, const struct people *p,
                         const struct interval *mean) {
    const double values[] = {mean->value, mean->low, mean->high};
    char cell[CELL_TEXT];
    for (size_t i = 0; p->layout->intervals && i < 3; i++) {
        cell_text_short(cell, values[i]);
        text_table_cell(t, "%s", cell);
    }
    if (p->layout->intervals) return;
    if (isnan(mean->low))
        cell_text_short(cell, mean->value);
    else
        cell_text_interval(cell, mean);
    text_table_cell(t, "%s", cell);
}

static enum err_code add_line_mean(struct text_table *t, const struct people *p,
                                   struct answer_lines *a, const struct answer_line *line,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    struct interval mean = NONE;
    if (line) TRY(answer_line_mean(&mean, a, line, p->layout->measure, err));
    add_interval(t, p, &mean);
cleanup:
    return rc;
}

/* The mean over tasks of the mean of each, with a t interval over tasks; without `all` over the
 * tasks that have no *. */
static enum err_code add_tasks_mean(struct text_table *t, const struct people *p,
                                    const struct answer_lines *a, size_t method,
                                    struct prompt_kind kind, bool all, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t n = 0;
    double *x = calloc(a->n_tasks + 1, sizeof *x);
    CHECK(x, ERR_MEMORY, "no memory for the means of %zu tasks", a->n_tasks);
    for (size_t i = 0; i < a->n_tasks; i++) {
        const struct answer_line *line = find_line(a, i, method, kind);
        const bool counts = line && (all || !a->tasks[i].harmless);
        const double value = counts ? answer_line_value(line, p->layout->measure) : (double)NAN;
        if (!isnan(value)) x[n++] = value;
    }
    const struct interval mean = n > 0 ? interval_t(x, n, SUMMARY_CONFIDENCE) : NONE;
    add_interval(t, p, &mean);
cleanup:
    free(x);
    return rc;
}

/* ---- a section for each task */

static bool is_evaluated(const struct answer_lines *a, size_t task, size_t method) {
    for (size_t i = 0; i < a->n; i++)
        if (a->list[i].of_task == task && a->list[i].of_method == method) return true;
    return false;
}

static enum err_code add_task(struct text_table *t, const struct people *p, struct answer_lines *a,
                              size_t task, enum answer_kind kind, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t m = 0; m < a->n_methods; m++) {
        if (kind_of_method(a, m) != kind || !is_evaluated(a, task, m)) continue;
        add_method(t, p, &a->list[a->methods[m]]);
        for (size_t c = 0; c < p->n_prompts; c++)
            TRY(add_line_mean(t, p, a, find_line(a, task, m, p->prompts[c]), err));
    }
cleanup:
    return rc;
}

static enum err_code add_means(struct text_table *t, const struct people *p,
                               const struct answer_lines *a, bool all, enum answer_kind kind,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t m = 0; m < a->n_methods; m++) {
        if (kind_of_method(a, m) != kind) continue;
        add_method(t, p, &a->list[a->methods[m]]);
        for (size_t c = 0; c < p->n_prompts; c++)
            TRY(add_tasks_mean(t, p, a, m, p->prompts[c], all, err));
    }
cleanup:
    return rc;
}

enum { TITLE_MOST = 78 }; /* characters of one line */

/* "antonym * (128 items; plain 10-shot 0.840, shuffled 0.120)", of long names in two lines. */
static void task_title(struct text_table *t, const struct answer_lines *a, size_t task) {
    struct text name = {0}, about = {0};
    answer_lines_name_task(&name, a, &a->tasks[task]);
    answer_lines_describe_task(&about, a, &a->tasks[task]);
    const bool one = name.size + about.size + 3 <= TITLE_MOST;
    if (one) text_add(&name, " (%s)", text_str(&about));
    text_table_title(t, true, text_str(&name));
    if (!one) text_table_title(t, false, text_str(&about));
    t->failed |= name.failed || about.failed;
    text_release(&name);
    text_release(&about);
}

static enum err_code fill_by_task(struct text_table *t, const struct people *p,
                                  struct answer_lines *a, struct err *err) {
    enum err_code rc = ERR_OK;
    char title[96];
    for (size_t i = 0; i < a->n_tasks; i++) {
        task_title(t, a, i);
        for (enum answer_kind k = ANSWER_BASELINE; k <= ANSWER_CONTROL; k++)
            TRY(add_task(t, p, a, i, k, err));
    }
    for (int harmed = p->all > 1 ? 0 : 1; harmed < 2; harmed++) {
        const size_t n = harmed ? p->harmed : p->all;
        if (n == 0 || (harmed && n == p->all)) continue;
        (void)snprintf(title, sizeof title,
                       harmed ? "mean over the %zu without *" : "mean over %zu tasks", n);
        text_table_title(t, true, title);
        for (enum answer_kind k = ANSWER_BASELINE; k <= ANSWER_CONTROL; k++)
            TRY(add_means(t, p, a, !harmed, k, err));
    }
cleanup:
    return rc;
}

/* On a narrow terminal shuffled labels are left out first, the first column never. */
static void heads_by_task(struct text_table *t, const struct people *p) {
    size_t column = 0;
    method_heads(t, p, &column);
    for (size_t i = 0; i < p->n_prompts; i++) {
        name_prompts(t, p->prompts[i]);
        end_heads(t, p, &column, i == 0 ? 0 : p->prompts[i].shuffled ? 2 : 1);
    }
}

/* ---- a column for each task, a section for each kind of prompts */

static bool has_marks(const struct people *p) { return p->harmed < p->all; }

static void heads_by_prompts(struct text_table *t, const struct people *p,
                             const struct answer_lines *a) {
    size_t column = 0;
    struct text name = {0};
    method_heads(t, p, &column);
    text_table_cell(t, "mean");
    end_heads(t, p, &column, 0);
    if (has_marks(p)) {
        text_table_cell(t, "mean without *");
        end_heads(t, p, &column, 1);
    }
    for (size_t i = 0; i < a->n_tasks; i++) {
        text_clear(&name);
        answer_lines_name_task(&name, a, &a->tasks[i]);
        text_table_copy_cell(t, text_str(&name));
        end_heads(t, p, &column, 2 + (int)i);
    }
    t->failed |= name.failed;
    text_release(&name);
}

static enum err_code add_prompts_line(struct text_table *t, const struct people *p,
                                      struct answer_lines *a, size_t method,
                                      struct prompt_kind kind, struct err *err) {
    enum err_code rc = ERR_OK;
    add_method(t, p, &a->list[a->methods[method]]);
    TRY(add_tasks_mean(t, p, a, method, kind, true, err));
    if (has_marks(p)) TRY(add_tasks_mean(t, p, a, method, kind, false, err));
    for (size_t i = 0; i < a->n_tasks; i++)
        TRY(add_line_mean(t, p, a, find_line(a, i, method, kind), err));
cleanup:
    return rc;
}

static bool has_prompts(const struct answer_lines *a, size_t method, struct prompt_kind kind) {
    for (size_t i = 0; i < a->n; i++)
        if (a->list[i].of_method == method && same_prompts(kind_of_line(&a->list[i]), kind))
            return true;
    return false;
}

static enum err_code fill_by_prompts(struct text_table *t, const struct people *p,
                                     struct answer_lines *a, struct err *err) {
    enum err_code rc = ERR_OK;
    char title[64];
    for (size_t c = 0; c < p->n_prompts; c++) {
        const struct prompt_kind kind = p->prompts[c];
        (void)snprintf(title, sizeof title, "%" PRId64 "-shot%s", kind.k,
                       kind.shuffled ? " shuffled" : "");
        text_table_title(t, true, title);
        for (enum answer_kind k = ANSWER_BASELINE; k <= ANSWER_CONTROL; k++)
            for (size_t m = 0; m < a->n_methods; m++)
                if (kind_of_method(a, m) == k && has_prompts(a, m, kind))
                    TRY(add_prompts_line(t, p, a, m, kind, err));
    }
cleanup:
    return rc;
}

/* ---- the whole table */

static void note_measure(struct text *out, const struct people *p) {
    const char *meaning = ANSWER_MEASURE[p->layout->measure].meaning;
    text_add(out, "%c%s; %s 95%% interval over items; of several repeats over repeats and items%s.",
             toupper((unsigned char)meaning[0]), meaning + 1,
             p->layout->intervals ? "low, high:" : "\xC2\xB1: half the",
             p->all > 1 ? "; of means over tasks" : "");
}

/* The prompt with shots is what vectors are to be compared with. */
static void note_shots(struct text *out, const struct answer_lines *a) {
    for (size_t t = 0; t < a->n_tasks; t++)
        if (a->tasks[t].effect.k == 0) {
            text_add(out,
                     " Without \"plain\" on prompts with shots, their labels true and shuffled, "
                     "%s has no first column to compare with: add them to points, shift and also.",
                     text_str(&a->list[a->tasks[t].line].task));
            return;
        }
}

/* Answers that published code, which encodes them alone, would score by other tokens. */
static void note_crossed(struct text *out, const struct answer_lines *a) {
    const char *gap = " Answers with other tokens alone than after their query: ";
    for (size_t t = 0; t < a->n_tasks; t++) {
        const struct answer_line *line = &a->list[a->tasks[t].line];
        if (line->crossed == 0) continue;
        text_add(out, "%s%zu of %zu of %s", gap, line->crossed, line->items, text_str(&line->task));
        gap = ", ";
    }
    if (gap[0] == ',') text_add(out, ".");
}

static void add_notes(struct table_output *o, const struct answer_lines *a, const struct people *p,
                      const struct text *hidden) {
    struct text out = {0};
    note_measure(&out, p);
    if (p->harmed < p->all)
        text_add(&out,
                 " *: the plain model with shuffled labels reaches %g of its accuracy with true "
                 "ones or more, so shuffling is no corruption there.",
                 ANSWER_HARMLESS);
    note_shots(&out, a);
    note_crossed(&out, a);
    if (hidden->size)
        text_add(&out, " Columns that did not fit: %s; --wide shows them.", text_str(hidden));
    if (a->missing)
        text_add(&out, " %zu evaluation%s left to run.", a->missing, text_plural(a->missing));
    text_add(o->out, o->format == TABLE_LATEX ? "%% " : "\n");
    text_table_paragraph(o->out, text_str(&out), o->format == TABLE_TEXT ? o->width : SIZE_MAX);
    if (out.failed) o->out->failed = true;
    text_release(&out);
}

static enum err_code print_for_people(struct table_output *o, struct answer_lines *a,
                                      const struct answer_layout *layout, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text_table t = {0};
    struct text hidden = {0};
    struct people p = {.layout = layout};
    find_people(&p, a);
    const size_t numbers = layout->tasks ? 1 + has_marks(&p) + a->n_tasks : p.n_prompts;
    TRY(text_table_init(&t, 1 + p.fit + numbers * (layout->intervals ? 3 : 1), err));
    if (layout->tasks)
        heads_by_prompts(&t, &p, a);
    else
        heads_by_task(&t, &p);
    TRY(layout->tasks ? fill_by_prompts(&t, &p, a, err) : fill_by_task(&t, &p, a, err));
    TRY(table_output_put(o, &hidden, &t, err));
    add_notes(o, a, &p, &hidden);
cleanup:
    text_release(&hidden);
    text_table_release(&t);
    return rc;
}

enum err_code answer_table_print(struct table_output *o, struct answer_lines *a,
                                 const struct answer_layout *layout, struct err *err) {
    if (table_format_is_for_programs(o->format)) return answer_rows_print(o, a, err);
    if (a->n > 0) return print_for_people(o, a, layout, err);
    text_add(o->out, "No evaluation is done yet; %zu job%s left.\n", a->missing,
             text_plural(a->missing));
    return ERR_OK;
}
