/*
 * The main table as it is printed.  For people, lines are in sections (one for each model and each
 * combination of evaluate's axes), within a section in groups (baseline, vectors, controls,
 * estimators), and intervals are written with ±.  For programs (CSV, JSON) every key is a column.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "run/tables/key_columns.h"
#include "run/tables/summary_lines.h"

static const struct {
    const char *title, *word; /* for people, for programs */
} KINDS[] = {
    [SUMMARY_BASELINE] = {"baseline", "baseline"},
    [SUMMARY_VECTOR] = {"vectors", "vector"},
    [SUMMARY_CONTROL] = {"controls", "control"},
    [SUMMARY_ESTIMATOR] = {"estimators, without the model", "estimator"},
};

/* ---- one line */

static enum err_code range_cells(struct text_table *t, struct summary *s,
                                 const struct summary_group *g, const struct error_range *range,
                                 const struct summary_columns *c, struct err *err) {
    enum err_code rc = ERR_OK;
    struct interval mean;
    for (size_t i = 0; i < g->n_ranges; i++) {
        if (g->ranges[i].first != range->first || g->ranges[i].last != range->last) continue;
        TRY(summary_interval(&mean, s, g, i, err));
        summary_interval_cells(t, &mean, c);
        return ERR_OK;
    }
    summary_empty_cells(t, c);
cleanup:
    return rc;
}

static enum err_code print_line(struct text_table *t, struct summary *s,
                                const struct summary_group *g, const struct summary_columns *c,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    struct interval number;
    summary_key_cells(t, s, g, c);
    text_table_cell(t, "%zu", g->repeats);
    for (size_t i = 0; i < c->n_ranges; i++) TRY(range_cells(t, s, g, &c->ranges[i], c, err));
    for (size_t i = 0; i < SUMMARY_STATISTICS_N; i++) {
        if (!c->statistic[i]) continue;
        if (SUMMARY_STATISTICS[i].of(&number, s, g))
            summary_interval_cells(t, &number, c);
        else
            summary_empty_cells(t, c);
    }
    if (c->programs) text_table_cell(t, "%s", KINDS[g->kind].word);
cleanup:
    return rc;
}

/* ---- sections and groups */

struct line {
    const struct summary_group *group;
    char *section; /* owned */
    size_t order;  /* of the section: the first line that is in it */
    size_t method; /* the first line of the section with this method */
};

static bool has_same_method(const struct summary_group *a, const struct summary_group *b) {
    return strcmp(text_str(&a->keys[KEY_METHOD]), text_str(&b->keys[KEY_METHOD])) == 0;
}

static int compare_lines(const struct line *a, const struct line *b) {
    if (a->order != b->order) return a->order < b->order ? -1 : 1;
    if (a->group->kind != b->group->kind) return (int)a->group->kind - (int)b->group->kind;
    return (a->method > b->method) - (a->method < b->method);
}

/* By section, group and method; otherwise in the order of the plan. */
static void sort_lines(struct line *lines, size_t n) {
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k > 0 && compare_lines(&lines[k - 1], &lines[k]) > 0; k--) {
            const struct line swap = lines[k];
            lines[k] = lines[k - 1];
            lines[k - 1] = swap;
        }
}

/* Programs get the lines in the order of the config. */
static enum err_code make_lines(struct line *lines, const struct summary *s, bool programs,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    struct text title = {0};
    for (size_t i = 0; i < s->n; i++) {
        summary_section_title(&title, s, &s->groups[i], true);
        lines[i] = (struct line){&s->groups[i], text_copy(text_str(&title)), i, i};
        CHECK(lines[i].section && !title.failed, ERR_MEMORY, "no memory for %zu lines", s->n);
        for (size_t k = i; k-- > 0;) {
            if (strcmp(lines[k].section, lines[i].section) != 0) continue;
            lines[i].order = lines[k].order;
            if (has_same_method(lines[k].group, lines[i].group)) lines[i].method = k;
        }
    }
    if (!programs) sort_lines(lines, s->n);
cleanup:
    text_release(&title);
    return rc;
}

static void print_titles(struct text_table *t, const struct line *lines, size_t i) {
    const bool section = i == 0 || lines[i].order != lines[i - 1].order;
    if (section && lines[i].section[0]) text_table_title(t, true, lines[i].section);
    if (section || lines[i].group->kind != lines[i - 1].group->kind)
        text_table_title(t, false, KINDS[lines[i].group->kind].title);
}

/* ---- notes below the table */

static void range_notes(struct text *out, const struct summary_columns *c) {
    static const char *const names[][2] = {{"below d", "fewer examples than coordinates of x"},
                                           {"in range", "within the trained range"},
                                           {"beyond", "beyond the trained range"}};
    for (size_t i = 0; i < c->n_ranges; i++)
        for (size_t k = 0; k < 3; k++)
            if (strcmp(c->ranges[i].name, names[k][0]) == 0)
                text_add(out, " k %zu-%zu: %s.", c->ranges[i].first, c->ranges[i].last,
                         names[k][1]);
}

/* "Mean squared error"; sources of several kinds have "Mean error (mean squared error or ...)". */
static void error_name(struct text *out, const struct summary *s) {
    const char *first = s->groups[0].error, *other = NULL;
    for (size_t i = 1; i < s->n; i++)
        if (strcmp(s->groups[i].error, first) != 0) other = s->groups[i].error;
    if (other)
        text_add(out, "Mean error (%s or %s)", first, other);
    else
        text_add(out, "%c%s", toupper((unsigned char)first[0]), first + 1);
}

static void choice_notes(struct text *out, const struct summary *s,
                         const struct summary_columns *c) {
    for (size_t k = 0; k < s->n_keys; k++)
        if (s->of_choice[k])
            text_add(out, " %s: chosen by validation loss, for every repeat.",
                     summary_columns_head(s, k, c));
}

static void statistic_notes(struct text *out, const struct summary *s,
                            const struct summary_columns *c) {
    for (size_t i = 0; i < SUMMARY_STATISTICS_N; i++) {
        const struct summary_statistic *t = &SUMMARY_STATISTICS[i];
        const char *absent = c->statistic[i] || !t->absent ? NULL : t->absent(s);
        if (c->statistic[i]) text_add(out, " %s: %s.", t->name, t->meaning);
        if (absent) text_add(out, " No column %s: %s.", t->name, absent);
    }
}

static bool has_model(const struct summary *s) {
    for (size_t i = 0; i < s->n; i++)
        if (s->groups[i].kind != SUMMARY_ESTIMATOR) return true;
    return false;
}

static void notes(struct table_output *o, const struct summary *s, const struct summary_columns *c,
                  const struct text *hidden) {
    struct text out = {0};
    const size_t width = o->format == TABLE_TEXT ? o->width : SIZE_MAX;
    error_name(&out, s);
    text_add(&out, " after k examples, over %zu function%s; %s 95%% interval over %sfunctions%s.",
             s->groups[0].functions, text_plural(s->groups[0].functions),
             c->split ? "low, high:" : "\xC2\xB1: half the",
             c->most_repeats > 1 ? "repeats and " : "", has_model(s) ? ", for one model" : "");
    range_notes(&out, c);
    if (c->key[KEY_FIT_POINTS])
        text_add(&out, " points: length of the prompts of the fit");
    else if (c->fit_points)
        text_add(&out, " Fits: prompts of %s points", c->fit_points);
    if (c->most_repeats > 1 && c->least_repeats == c->most_repeats)
        text_add(&out, "; mean over %zu repeats", c->most_repeats);
    else if (c->most_repeats > 1)
        text_add(&out, "; mean over %zu to %zu repeats", c->least_repeats, c->most_repeats);
    if (c->most_repeats > 0) text_add(&out, ".");
    choice_notes(&out, s, c);
    statistic_notes(&out, s, c);
    if (hidden->size)
        text_add(&out, " Columns that did not fit: %s; --wide shows them.", text_str(hidden));
    if (s->missing)
        text_add(&out, " %zu evaluation%s left to run.", s->missing, text_plural(s->missing));
    text_add(o->out, o->format == TABLE_LATEX ? "%% " : "\n");
    text_table_paragraph(o->out, text_str(&out), width);
    if (out.failed) o->out->failed = true;
    text_release(&out);
}

enum err_code summary_print(struct table_output *o, struct summary *s,
                            const struct summary_layout *layout, struct err *err) {
    enum err_code rc = ERR_OK;
    const bool programs = table_format_is_for_programs(o->format);
    struct summary_columns c = {
        .programs = programs, .wide = layout->wide, .split = programs || layout->intervals};
    struct text_table t = {0};
    struct text hidden = {0};
    struct line *lines = calloc(s->n + 1, sizeof *lines);
    CHECK(lines, ERR_MEMORY, "no memory for %zu lines", s->n);
    if (s->n == 0 && !programs) {
        text_add(o->out, "No evaluation is done yet; %zu job%s left.\n", s->missing,
                 text_plural(s->missing));
        goto cleanup;
    }
    summary_columns_find(&c, s);
    TRY(make_lines(lines, s, programs, err));
    TRY(text_table_init(&t, summary_columns_count(&c, s), err));
    summary_columns_heads(&t, s, &c);
    for (size_t i = 0; i < s->n; i++) {
        print_titles(&t, lines, i);
        TRY(print_line(&t, s, lines[i].group, &c, err));
    }
    TRY(table_output_put(o, &hidden, &t, err));
    if (!programs) notes(o, s, &c, &hidden);
cleanup:
    for (size_t i = 0; lines && i < s->n; i++) free(lines[i].section);
    free(lines);
    text_release(&hidden);
    text_table_release(&t);
    return rc;
}
