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

#include "run/tables/cell_text.h"
#include "run/tables/key_columns.h"
#include "run/tables/summary.h"
#include "run/tables/summary_statistics.h"

static const struct {
    const char *title, *word; /* for people, for programs */
} KINDS[] = {
    [SUMMARY_BASELINE] = {"baseline", "baseline"},
    [SUMMARY_VECTOR] = {"vectors", "vector"},
    [SUMMARY_CONTROL] = {"controls", "control"},
    [SUMMARY_ESTIMATOR] = {"estimators, without the model", "estimator"},
};

/* Columns in the order of keys, repeats, ranges, statistics. */
struct columns {
    bool programs, wide, split;    /* for programs; every column; low and high */
    struct error_range ranges[64]; /* distinct ones, as met */
    size_t n_ranges;
    bool statistic[SUMMARY_STATISTICS_N]; /* some line has such a number */
    bool key[SUMMARY_KEYS];               /* the key has a column */
    size_t least_repeats, most_repeats;   /* of the fits */
    const char *fit_points;               /* of the first fit; NULL: there is none */
    bool several_fit_points;              /* other fits have others */
};

enum { KEY_METHOD, KEY_READING, KEY_FIT_POINTS };

/* ---- which columns */

static void collect_ranges(struct columns *c, const struct summary_group *g) {
    for (size_t i = 0; i < g->n_ranges; i++) {
        const struct error_range *range = &g->ranges[i];
        bool known = false;
        for (size_t k = 0; k < c->n_ranges; k++)
            known |= c->ranges[k].first == range->first && c->ranges[k].last == range->last;
        if (!known && c->n_ranges < sizeof c->ranges / sizeof *c->ranges)
            c->ranges[c->n_ranges++] = *range;
    }
}

static void collect_repeats(struct columns *c, const struct summary_group *g) {
    if (!g->fitted) return;
    if (c->most_repeats == 0 || g->repeats < c->least_repeats) c->least_repeats = g->repeats;
    if (g->repeats > c->most_repeats) c->most_repeats = g->repeats;
    const char *points = text_str(&g->keys[KEY_FIT_POINTS]);
    if (!c->fit_points) c->fit_points = points;
    c->several_fit_points |= strcmp(points, c->fit_points) != 0;
}

/* "corruption" of "fit.fv.corruption". */
static const char *last_part(const char *key) {
    const char *dot = strrchr(key, '.');
    return dot ? dot + 1 : key;
}

/* For people the variant follows the name of the method, keys of sections are in titles, and
 * fit_points is omitted where all fits have the same. */
static bool has_column(const struct columns *c, const struct summary *s, size_t key) {
    if (c->programs || key == KEY_METHOD) return true;
    if (key == KEY_READING || s->of_section[key] || s->of_estimator[key]) return false;
    if (key > KEY_FIT_POINTS && !s->varies[key]) return false;
    if (strcmp(last_part(text_str(&s->heads[key])), "reading") == 0) return false;
    return key != KEY_FIT_POINTS || c->several_fit_points || (c->wide && c->fit_points);
}

static void find_columns(struct columns *c, const struct summary *s) {
    struct interval number;
    for (size_t i = 0; i < s->n; i++) {
        collect_ranges(c, &s->groups[i]);
        collect_repeats(c, &s->groups[i]);
        for (size_t k = 0; k < SUMMARY_STATISTICS_N; k++)
            c->statistic[k] |= SUMMARY_STATISTICS[k].of(&number, s, &s->groups[i]);
    }
    for (size_t k = 0; k < s->n_keys; k++) c->key[k] = has_column(c, s, k);
}

static size_t count_columns(const struct columns *c, const struct summary *s) {
    size_t numbers = c->n_ranges, keys = 0;
    for (size_t k = 0; k < SUMMARY_STATISTICS_N; k++) numbers += c->statistic[k];
    for (size_t k = 0; k < s->n_keys; k++) keys += c->key[k];
    return keys + 1 + numbers * (c->split ? 3 : 1) + c->programs;
}

/* ---- the header */

static void number_head(struct text_table *t, size_t *column, const char *name, int rank,
                        const struct columns *c) {
    for (size_t i = 0; i < (c->split ? 3 : 1); i++) {
        text_table_align_right(t, *column);
        text_table_set_rank(t, (*column)++, c->wide ? 0 : rank);
    }
    text_table_cell(t, "%s", name);
    const char gap = c->programs ? '_' : ' ';
    if (c->split)
        text_table_cell(t, "%s%clow", name, gap), text_table_cell(t, "%s%chigh", name, gap);
}

/* Ranks of the columns that may be omitted on a narrow terminal: the errors within the trained
 * range are omitted first. */
static int range_rank(const struct error_range *r) {
    if (strcmp(r->name, "below d") == 0) return 8;
    if (strcmp(r->name, "in range") == 0) return 7;
    return strcmp(r->name, "beyond") == 0 ? 3 : 2;
}

static void range_head(struct text_table *t, size_t *column, const struct error_range *r,
                       const struct columns *c) {
    char name[64];
    const char gap = c->programs ? '_' : '-';
    if (r->first == r->last)
        (void)snprintf(name, sizeof name, "k%c%zu", c->programs ? '_' : ' ', r->first);
    else
        (void)snprintf(name, sizeof name, "k%c%zu%c%zu", c->programs ? '_' : ' ', r->first, gap,
                       r->last);
    number_head(t, column, name, range_rank(r), c);
}

/* For people the stage and the method are omitted where no other key has the same ending. */
static const char *key_head(const struct summary *s, size_t key, const struct columns *c) {
    const char *whole = text_str(&s->heads[key]), *part = last_part(whole);
    if (c->programs) return whole;
    if (key == KEY_FIT_POINTS) return "points";
    for (size_t i = 0; i < s->n_keys; i++)
        if (i != key && c->key[i] && strcmp(last_part(text_str(&s->heads[i])), part) == 0)
            return whole;
    return part;
}

/* Programs get an identifier: "fit_optimiser_lr". */
static void key_head_cell(struct text_table *t, const struct summary *s, size_t key,
                          const struct columns *c) {
    char name[KEY_COLUMN_NAME];
    (void)snprintf(name, sizeof name, "%s", key_head(s, key, c));
    for (char *at = name; c->programs && *at; at++)
        if (*at == '.') *at = '_';
    text_table_cell(t, "%s", name);
}

static void key_heads(struct text_table *t, size_t *column, const struct summary *s,
                      const struct columns *c) {
    for (size_t i = 0; i < s->n_keys; i++) {
        if (!c->key[i]) continue;
        if (i == KEY_FIT_POINTS || s->number[i]) text_table_align_right(t, *column);
        key_head_cell(t, s, i, c);
        (*column)++;
    }
}

static void print_heads(struct text_table *t, const struct summary *s, const struct columns *c) {
    size_t column = 0;
    key_heads(t, &column, s, c);
    text_table_align_right(t, column);
    text_table_set_rank(t, column++, c->wide ? 0 : 9);
    text_table_cell(t, "repeats");
    for (size_t i = 0; i < c->n_ranges; i++) range_head(t, &column, &c->ranges[i], c);
    for (size_t i = 0; i < SUMMARY_STATISTICS_N; i++) {
        const struct summary_statistic *statistic = &SUMMARY_STATISTICS[i];
        if (c->statistic[i]) number_head(t, &column, statistic->name, statistic->rank, c);
    }
    if (c->programs) text_table_cell(t, "group");
}

/* ---- one line */

static void interval_cells(struct text_table *t, const struct interval *i,
                           const struct columns *c) {
    const double values[] = {i->value, i->low, i->high};
    char cell[CELL_TEXT];
    for (size_t k = 0; k < 3 && c->split; k++) {
        if (c->programs)
            cell_text_exact(cell, values[k]);
        else
            cell_text_short(cell, values[k]);
        text_table_cell(t, "%s", cell);
    }
    if (c->split) return;
    cell_text_interval(cell, i);
    text_table_cell(t, "%s", cell);
}

static void empty_cells(struct text_table *t, const struct columns *c) {
    for (int i = 0; i < (c->split ? 3 : 1); i++) text_table_cell(t, "%s", c->programs ? "" : "-");
}

static enum err_code range_cells(struct text_table *t, const struct summary_group *g,
                                 const struct error_range *range, const struct columns *c,
                                 struct err *err) {
    for (size_t i = 0; i < g->n_ranges; i++) {
        if (g->ranges[i].first != range->first || g->ranges[i].last != range->last) continue;
        double *means = summary_means(g, i);
        if (!means) return ERR(err, ERR_MEMORY, "no memory for %zu functions", g->functions);
        const struct interval mean = interval_t(means, g->functions, 0.95);
        free(means);
        interval_cells(t, &mean, c);
        return ERR_OK;
    }
    empty_cells(t, c);
    return ERR_OK;
}

/* The keys of an estimator are shown where they tell lines apart; variants of a method always. */
static bool shows_variant(const struct summary *s, const struct summary_group *g,
                          const struct columns *c) {
    if (strcmp(text_str(&g->keys[KEY_READING]), "-") == 0) return false;
    if (c->wide || g->kind != SUMMARY_ESTIMATOR) return true;
    for (size_t i = 0; i < s->n; i++) {
        const struct text *keys = s->groups[i].keys;
        if (strcmp(text_str(&keys[KEY_METHOD]), text_str(&g->keys[KEY_METHOD])) == 0 &&
            strcmp(text_str(&keys[KEY_READING]), text_str(&g->keys[KEY_READING])) != 0)
            return true;
    }
    return false;
}

static void key_cells(struct text_table *t, const struct summary *s, const struct summary_group *g,
                      const struct columns *c) {
    for (size_t i = 0; i < s->n_keys; i++) {
        if (!c->key[i]) continue;
        if (i == KEY_METHOD && !c->programs && shows_variant(s, g, c))
            text_table_cell(t, "%s %s", text_str(&g->keys[i]), text_str(&g->keys[KEY_READING]));
        else if (c->programs && strcmp(text_str(&g->keys[i]), "-") == 0)
            text_table_copy_cell(t, "");
        else
            text_table_copy_cell(t, text_str(&g->keys[i]));
    }
}

static enum err_code print_line(struct text_table *t, const struct summary *s,
                                const struct summary_group *g, const struct columns *c,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    struct interval number;
    key_cells(t, s, g, c);
    text_table_cell(t, "%zu", g->repeats);
    for (size_t i = 0; i < c->n_ranges; i++) TRY(range_cells(t, g, &c->ranges[i], c, err));
    for (size_t i = 0; i < SUMMARY_STATISTICS_N; i++) {
        if (!c->statistic[i]) continue;
        if (SUMMARY_STATISTICS[i].of(&number, s, g))
            interval_cells(t, &number, c);
        else
            empty_cells(t, c);
    }
    if (c->programs) text_table_cell(t, "%s", KINDS[g->kind].word);
cleanup:
    return rc;
}

/* ---- sections and groups */

/* "shift = noisy, noisy.sigma = 0.5"; empty where the run has one section. */
static void section_title(struct text *out, const struct summary *s,
                          const struct summary_group *g) {
    text_clear(out);
    for (size_t i = 0; i < s->n_keys; i++) {
        if (!s->of_section[i] || !s->varies[i] || strcmp(text_str(&g->keys[i]), "-") == 0) continue;
        text_add(out, "%s%s = %s", out->size ? ", " : "", text_str(&s->heads[i]),
                 text_str(&g->keys[i]));
    }
}

struct line {
    const struct summary_group *group;
    char *section; /* owned */
    size_t order;  /* of the section: the first line that is in it */
};

static int compare_lines(const struct line *a, const struct line *b) {
    if (a->order != b->order) return a->order < b->order ? -1 : 1;
    return (int)a->group->kind - (int)b->group->kind;
}

/* By section, then group; otherwise in the order of the plan. */
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
        section_title(&title, s, &s->groups[i]);
        lines[i] = (struct line){&s->groups[i], text_copy(text_str(&title)), i};
        CHECK(lines[i].section && !title.failed, ERR_MEMORY, "no memory for %zu lines", s->n);
        for (size_t k = i; k-- > 0;)
            if (strcmp(lines[k].section, lines[i].section) == 0) lines[i].order = lines[k].order;
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

static void range_notes(struct text *out, const struct columns *c) {
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

static void notes(struct table_output *o, const struct summary *s, const struct columns *c,
                  const struct text *hidden) {
    struct text out = {0};
    const size_t width = o->format == TABLE_TEXT ? o->width : SIZE_MAX;
    error_name(&out, s);
    text_add(&out, " after k examples, over %zu function%s; %s.", s->groups[0].functions,
             s->groups[0].functions == 1 ? "" : "s",
             c->split ? "low, high: 95% interval over functions"
                      : "\xC2\xB1: half the 95% interval over functions");
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
    for (size_t i = 0; i < SUMMARY_STATISTICS_N; i++)
        if (c->statistic[i])
            text_add(&out, " %s: %s.", SUMMARY_STATISTICS[i].name, SUMMARY_STATISTICS[i].meaning);
    if (hidden->size)
        text_add(&out, " Columns that did not fit: %s; --wide shows them.", text_str(hidden));
    if (s->missing) text_add(&out, " %zu evaluations are not done yet.", s->missing);
    text_add(o->out, o->format == TABLE_LATEX ? "%% " : "\n");
    text_table_paragraph(o->out, text_str(&out), width);
    if (out.failed) o->out->failed = true;
    text_release(&out);
}

enum err_code summary_print(struct table_output *o, const struct summary *s,
                            const struct summary_layout *layout, struct err *err) {
    enum err_code rc = ERR_OK;
    const bool programs = table_format_is_for_programs(o->format);
    struct columns c = {
        .programs = programs, .wide = layout->wide, .split = programs || layout->intervals};
    struct text_table t = {0};
    struct text hidden = {0};
    struct line *lines = calloc(s->n + 1, sizeof *lines);
    CHECK(lines, ERR_MEMORY, "no memory for %zu lines", s->n);
    if (s->n == 0 && !programs) {
        text_add(o->out, "No evaluation is done yet; %zu remain.\n", s->missing);
        goto cleanup;
    }
    find_columns(&c, s);
    TRY(make_lines(lines, s, programs, err));
    TRY(text_table_init(&t, count_columns(&c, s), err));
    print_heads(&t, s, &c);
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
