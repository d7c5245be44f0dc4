/*
 * Comparisons as they are printed.  For people one part for each setting and range of k, with the
 * numbers of a row by decreasing importance: 80 columns hide the last ones.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "run/tables/cell_text.h"
#include "run/tables/comparison_cells.h"
#include "run/tables/summary_lines.h"
#include "run/tables/summary_text.h"

/* ---- for programs */

static void exact_cell(struct text_table *t, const struct job_value *cell) {
    char number[CELL_TEXT];
    if (cell->type == JOB_TEXT) {
        text_table_copy_cell(t, cell->as.text);
    } else if (cell->type == JOB_INT) {
        text_table_cell(t, "%lld", (long long)cell->as.integer);
    } else {
        cell_text_exact(number, cell->as.real);
        text_table_copy_cell(t, number);
    }
}

static enum err_code print_exact(struct table_output *o, const struct comparisons *c,
                                 const struct summary *s, struct err *err) {
    enum err_code rc = ERR_OK;
    struct comparison_table cells = {0};
    struct text_table t = {0};
    TRY(comparison_table_make(&cells, c, s, err));
    TRY(text_table_init(&t, cells.columns.n, err));
    for (size_t i = 0; i < cells.columns.n; i++) {
        text_table_copy_cell(&t, cells.list[i].name);
        if (cells.list[i].type != JOB_TEXT) text_table_align_right(&t, i);
    }
    for (size_t i = 0; i < cells.n * cells.columns.n; i++) exact_cell(&t, &cells.cells[i]);
    TRY(table_output_put(o, NULL, &t, err));
cleanup:
    text_table_release(&t);
    comparison_table_release(&cells);
    return rc;
}

/* ---- for people: the numbers of a row */

enum number_kind { NUMBER_INTERVAL, NUMBER_P, NUMBER_SHARE, NUMBER_SHORT, NUMBER_SEEDS };

static struct interval difference_of(const struct comparison *c) { return c->difference; }
static struct interval over_seeds_of(const struct comparison *c) {
    const struct interval none = {nan(""), nan(""), nan("")};
    return isnan(c->over_seeds.low) ? none : c->over_seeds;
}
static struct interval recovered_of(const struct comparison *c) { return c->recovered; }
static struct interval plain_number(double x) { return (struct interval){x, nan(""), nan("")}; }
static struct interval holm_of(const struct comparison *c) { return plain_number(c->holm); }
static struct interval p_of(const struct comparison *c) { return plain_number(c->tests.sign_flip); }
static struct interval wilcoxon_of(const struct comparison *c) {
    return plain_number(c->tests.wilcoxon);
}
static struct interval effect_of(const struct comparison *c) {
    return plain_number(c->tests.standardised);
}
static struct interval rank_effect_of(const struct comparison *c) {
    return plain_number(c->tests.rank);
}
static struct interval worse_of(const struct comparison *c) { return plain_number(c->tests.worse); }
static struct interval error_of(const struct comparison *c) {
    return plain_number(isfinite(c->error) ? c->error : nan(""));
}

static const struct {
    const char *name;
    enum number_kind kind;
    int rank; /* of text_table_set_rank() */
    struct interval (*of)(const struct comparison *c);
    const char *meaning; /* below the table; NULL: the note begins with it */
} NUMBERS[] = {
    {"difference", NUMBER_INTERVAL, 0, difference_of, NULL},
    {"Holm", NUMBER_P, 1, holm_of,
     "two-sided p of a sign-flip test on one number a function, adjusted within each part"},
    {"worse", NUMBER_SHARE, 2, worse_of, "share of functions with a greater error than against"},
    {"effect", NUMBER_SHARE, 3, effect_of,
     "mean over standard deviation of the differences of functions"},
    {"recovered", NUMBER_INTERVAL, 4, recovered_of,
     "(plain - method) / (plain - oracle) beyond the trained range"},
    {"over seeds", NUMBER_INTERVAL, 5, over_seeds_of,
     "the difference with its t interval over the repeats"},
    {"p", NUMBER_P, 6, p_of, "that of the sign-flip test before Holm"},
    {"Wilcoxon", NUMBER_P, 7, wilcoxon_of, "p of the signed-rank test, not adjusted"},
    {"rank effect", NUMBER_SHARE, 8, rank_effect_of, "matched-pairs rank-biserial correlation"},
    {"each seed", NUMBER_SEEDS, 9, over_seeds_of, "the difference of every repeat"},
    {"error", NUMBER_SHORT, 10, error_of, "of the method"},
};
enum { NUMBERS_N = sizeof NUMBERS / sizeof *NUMBERS };

struct shown {
    struct summary_columns columns; /* the keys of lines */
    bool number[NUMBERS_N];         /* some comparison has it */
    size_t n;                       /* columns of the table */
};

static size_t cells_of(const struct shown *shown, size_t number) {
    return NUMBERS[number].kind == NUMBER_INTERVAL && shown->columns.split ? 3 : 1;
}

static void find_shown(struct shown *shown, const struct comparisons *c, struct summary *s) {
    summary_columns_find(&shown->columns, s);
    shown->n = 1; /* against */
    for (size_t k = 0; k < s->n_keys; k++) shown->n += shown->columns.key[k];
    for (size_t i = 0; i < NUMBERS_N; i++) {
        for (size_t k = 0; k < c->n; k++)
            shown->number[i] |= !isnan(NUMBERS[i].of(&c->list[k]).value);
        if (shown->number[i]) shown->n += cells_of(shown, i);
    }
}

static void print_heads(struct text_table *t, const struct shown *shown, const struct summary *s) {
    size_t column = 0;
    struct summary_columns one = shown->columns;
    one.split = false;
    summary_columns_key_heads(t, &column, s, &shown->columns);
    text_table_copy_cell(t, "against");
    column++;
    for (size_t i = 0; i < NUMBERS_N; i++)
        if (shown->number[i])
            summary_columns_number_head(t, &column, NUMBERS[i].name, NUMBERS[i].rank,
                                        cells_of(shown, i) == 1 ? &one : &shown->columns);
}

static void seeds_cell(struct text_table *t, const struct comparison *c) {
    char cell[COMPARISON_SEEDS * CELL_TEXT] = "-";
    int at = 0;
    for (size_t i = 0; i < COMPARISON_SEEDS && !isnan(c->by_seed[i]); i++)
        at += snprintf(cell + at, sizeof cell - (size_t)at, "%s%.3g", i ? " " : "", c->by_seed[i]);
    text_table_copy_cell(t, cell);
}

static void number_cells(struct text_table *t, size_t number, const struct comparison *c,
                         const struct shown *shown) {
    const struct interval i = NUMBERS[number].of(c);
    if (NUMBERS[number].kind == NUMBER_INTERVAL)
        summary_interval_cells(t, &i, &shown->columns);
    else if (NUMBERS[number].kind == NUMBER_SEEDS)
        seeds_cell(t, c);
    else if (isnan(i.value))
        text_table_copy_cell(t, "-");
    else if (NUMBERS[number].kind == NUMBER_P && i.value < 0.001)
        text_table_cell(t, "%.0e", i.value);
    else if (NUMBERS[number].kind == NUMBER_P)
        text_table_cell(t, "%.3f", i.value);
    else
        text_table_cell(t, NUMBERS[number].kind == NUMBER_SHARE ? "%.2f" : "%.4g", i.value);
}

/* ---- parts and notes */

/* "shift = noisy; k 16-40, beyond the trained range; one model" */
static void part_title(struct text *out, const struct comparison *c, const struct summary *s) {
    static const char *const words[][2] = {{"below d", ", fewer examples than d"},
                                           {"in range", ", within the trained range"},
                                           {"beyond", ", beyond the trained range"}};
    const struct error_range *r = c->range;
    if (summary_is_text(c->line)) {
        summary_text_title(out, s, c->line);
        return;
    }
    summary_section_title(out, s, c->line, c->models == 1);
    text_add(out, "%sk %zu", out->size ? "; " : "", r->first);
    if (r->last > r->first) text_add(out, "-%zu", r->last);
    for (size_t i = 0; i < 3; i++)
        if (strcmp(r->name, words[i][0]) == 0) text_add(out, "%s", words[i][1]);
    if (c->models == 1)
        text_add(out, "; one model");
    else
        text_add(out, "; %zu models", c->models);
}

static enum err_code print_parts(struct text_table *t, const struct comparisons *c,
                                 const struct shown *shown, const struct summary *s,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    struct text title = {0};
    for (size_t i = 0; i < c->n; i++) {
        const struct comparison *row = &c->list[i];
        if (i == 0 || !comparison_same_table(row, row - 1)) {
            part_title(&title, row, s);
            text_table_title(t, i > 0, text_str(&title));
        }
        summary_key_cells(t, s, row->line, &shown->columns);
        text_table_copy_cell(t, row->against);
        for (size_t k = 0; k < NUMBERS_N; k++)
            if (shown->number[k]) number_cells(t, k, row, shown);
    }
    TRY(text_check(&title, err));
cleanup:
    text_release(&title);
    return rc;
}

static const char TEXT_NOTE[] =
    " constant: the line with the least error; mismatched, random: made from the same fit; initial "
    "weights: the same fit with epochs = 0; plain with shots: the same items with true labels. *: "
    "shuffled labels are no corruption there. Functions: test items.";

static void comparison_notes(struct table_output *o, const struct comparisons *c,
                             const struct shown *shown, const struct summary *s,
                             const struct text *hidden) {
    struct text out = {0};
    const size_t functions = c->list[0].line->functions;
    const bool text = summary_is_text(c->list[0].line);
    if (text) text_add(&out, "Errors: share of items whose whole answer is not the most likely. ");
    text_add(&out,
             "difference: error of the method minus that of against, %zu %s%s; %s 95%% "
             "interval, a crossed bootstrap over repeats and %ss.",
             functions, text ? "item" : "function", text_plural(functions),
             shown->columns.split ? "low, high:" : "\xC2\xB1: half the",
             text ? "item" : "function");
    text_add(&out, text ? TEXT_NOTE
                        : " constant, window: the line with the least error; mismatched: made from "
                          "the same fit.");
    if (c->list[c->n - 1].models > 1)
        text_add(&out, " Parts of several models: pretraining seeds take the place of repeats, "
                       "which are averaged.");
    for (size_t i = 0; i < NUMBERS_N; i++)
        if (shown->number[i] && NUMBERS[i].meaning)
            text_add(&out, " %s: %s.", NUMBERS[i].name, NUMBERS[i].meaning);
    if (hidden->size)
        text_add(&out, " Columns that did not fit: %s; --wide shows them.", text_str(hidden));
    if (s->missing)
        text_add(&out, " %zu evaluation%s left to run.", s->missing, text_plural(s->missing));
    text_add(o->out, o->format == TABLE_LATEX ? "%% " : "\n");
    text_table_paragraph(o->out, text_str(&out), o->format == TABLE_TEXT ? o->width : SIZE_MAX);
    if (out.failed) o->out->failed = true;
    text_release(&out);
}

static void print_nothing(struct text *out, const struct summary *s) {
    if (s->n == 0)
        text_add(out, "No evaluation is done yet; %zu job%s left.\n", s->missing,
                 text_plural(s->missing));
    else
        text_add(out, "Nothing to compare: no setting has a method and the line of plain; add "
                      "\"plain\" to evaluate.also.\n");
}

enum err_code comparisons_print(struct table_output *o, const struct comparisons *c,
                                struct summary *s, const struct summary_layout *layout,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    struct shown shown = {.columns = {.wide = layout->wide, .split = layout->intervals}};
    struct text_table t = {0};
    struct text hidden = {0};
    if (table_format_is_for_programs(o->format)) return print_exact(o, c, s, err);
    if (c->n == 0) {
        print_nothing(o->out, s);
        return ERR_OK;
    }
    find_shown(&shown, c, s);
    TRY(text_table_init(&t, shown.n, err));
    print_heads(&t, &shown, s);
    TRY(print_parts(&t, c, &shown, s, err));
    TRY(table_output_put(o, &hidden, &t, err));
    comparison_notes(o, c, &shown, s, &hidden);
cleanup:
    text_release(&hidden);
    text_table_release(&t);
    return rc;
}
