#include "run/tables/summary_columns.h"

#include <stdio.h>
#include <string.h>

#include "run/tables/key_columns.h"

/* ---- which columns */

static void collect_ranges(struct summary_columns *c, const struct summary_group *g) {
    for (size_t i = 0; i < g->n_ranges; i++) {
        const struct error_range *range = &g->ranges[i];
        bool known = false;
        for (size_t k = 0; k < c->n_ranges; k++)
            known |= c->ranges[k].first == range->first && c->ranges[k].last == range->last;
        if (!known && c->n_ranges < sizeof c->ranges / sizeof *c->ranges)
            c->ranges[c->n_ranges++] = *range;
    }
}

static void collect_repeats(struct summary_columns *c, const struct summary_group *g) {
    if (!g->fitted) return;
    if (c->most_repeats == 0 || g->repeats < c->least_repeats) c->least_repeats = g->repeats;
    if (g->repeats > c->most_repeats) c->most_repeats = g->repeats;
    const char *points = text_str(&g->keys[KEY_FIT_POINTS]);
    if (!c->fit_points) c->fit_points = points;
    c->several_fit_points |= strcmp(points, c->fit_points) != 0;
}

const char *summary_columns_last_part(const char *key) {
    const char *dot = strrchr(key, '.');
    return dot ? dot + 1 : key;
}

/* For people the variant follows the name of the method, keys of sections are in titles, and
 * fit_points is omitted where all fits have the same. */
static bool has_column(const struct summary_columns *c, const struct summary *s, size_t key) {
    if (c->programs || key == KEY_METHOD) return true;
    if (s->of_choice[key]) return true;
    if (key == KEY_READING || s->of_section[key] || s->of_estimator[key]) return false;
    if (key > KEY_FIT_POINTS && !s->varies[key]) return false;
    if (strcmp(summary_columns_last_part(text_str(&s->heads[key])), "reading") == 0) return false;
    return key != KEY_FIT_POINTS || c->several_fit_points || (c->wide && c->fit_points);
}

void summary_columns_find(struct summary_columns *c, struct summary *s) {
    struct interval number;
    for (size_t i = 0; i < s->n; i++) {
        collect_ranges(c, &s->groups[i]);
        collect_repeats(c, &s->groups[i]);
        for (size_t k = 0; k < SUMMARY_STATISTICS_N; k++)
            if (!c->statistic[k])
                c->statistic[k] = SUMMARY_STATISTICS[k].of(&number, s, &s->groups[i]);
    }
    for (size_t k = 0; k < s->n_keys; k++) c->key[k] = has_column(c, s, k);
}

size_t summary_columns_count(const struct summary_columns *c, const struct summary *s) {
    size_t numbers = c->n_ranges, keys = 0;
    for (size_t k = 0; k < SUMMARY_STATISTICS_N; k++) numbers += c->statistic[k];
    for (size_t k = 0; k < s->n_keys; k++) keys += c->key[k];
    return keys + 1 + numbers * (c->split ? 3 : 1) + c->programs;
}

/* ---- the header */

void summary_columns_number_head(struct text_table *t, size_t *column, const char *name, int rank,
                                 const struct summary_columns *c) {
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
                       const struct summary_columns *c) {
    char name[64];
    const char gap = c->programs ? '_' : '-';
    if (r->first == r->last)
        (void)snprintf(name, sizeof name, "k%c%zu", c->programs ? '_' : ' ', r->first);
    else
        (void)snprintf(name, sizeof name, "k%c%zu%c%zu", c->programs ? '_' : ' ', r->first, gap,
                       r->last);
    summary_columns_number_head(t, column, name, range_rank(r), c);
}

const char *summary_columns_head(const struct summary *s, size_t key,
                                 const struct summary_columns *c) {
    const char *whole = text_str(&s->heads[key]), *part = summary_columns_last_part(whole);
    if (c->programs) return whole;
    if (key == KEY_FIT_POINTS) return "points";
    for (size_t i = 0; i < s->n_keys; i++)
        if (i != key && c->key[i] &&
            strcmp(summary_columns_last_part(text_str(&s->heads[i])), part) == 0)
            return whole;
    return part;
}

/* Programs get an identifier: "fit_optimiser_lr". */
static void key_head_cell(struct text_table *t, const struct summary *s, size_t key,
                          const struct summary_columns *c) {
    char name[KEY_COLUMN_NAME];
    (void)snprintf(name, sizeof name, "%s", summary_columns_head(s, key, c));
    for (char *at = name; c->programs && *at; at++)
        if (*at == '.') *at = '_';
    text_table_cell(t, "%s", name);
}

void summary_columns_key_heads(struct text_table *t, size_t *column, const struct summary *s,
                               const struct summary_columns *c) {
    for (size_t i = 0; i < s->n_keys; i++) {
        if (!c->key[i]) continue;
        if (i == KEY_FIT_POINTS || s->number[i]) text_table_align_right(t, *column);
        key_head_cell(t, s, i, c);
        (*column)++;
    }
}

void summary_columns_heads(struct text_table *t, const struct summary *s,
                           const struct summary_columns *c) {
    size_t column = 0;
    summary_columns_key_heads(t, &column, s, c);
    text_table_align_right(t, column);
    text_table_set_rank(t, column++, c->wide ? 0 : 9);
    text_table_cell(t, "repeats");
    for (size_t i = 0; i < c->n_ranges; i++) range_head(t, &column, &c->ranges[i], c);
    for (size_t i = 0; i < SUMMARY_STATISTICS_N; i++) {
        const struct summary_statistic *statistic = &SUMMARY_STATISTICS[i];
        if (c->statistic[i])
            summary_columns_number_head(t, &column, statistic->name, statistic->rank, c);
    }
    if (c->programs) text_table_cell(t, "group");
}
