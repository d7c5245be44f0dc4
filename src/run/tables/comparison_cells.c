#include "run/tables/comparison_cells.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/tables/cell_text.h"
#include "run/tables/key_columns.h"

struct comparison_row {
    COMPARISON_ROW(ROW_FIELD)
};
static const struct job_column COLUMNS[] = {COMPARISON_ROW(ROW_COLUMN)};
enum { COLUMNS_N = sizeof COLUMNS / sizeof *COLUMNS };

static void row_cells(struct job_value *cells, const struct comparison_row *row) {
    const struct job_value all[] = {COMPARISON_ROW(ROW_CELL)};
    memcpy(cells, all, sizeof all);
}

/* ---- keys that vary, after the columns above */

/* The keys of the columns above are not repeated. */
static bool is_key_column(const struct summary *s, size_t key) {
    const char *head = text_str(&s->heads[key]);
    for (size_t i = 0; i < COLUMNS_N; i++)
        if (strcmp(head, COLUMNS[i].name) == 0) return false;
    return strcmp(head, "source.problem") != 0;
}

static size_t count_keys(const struct summary *s) {
    size_t n = 0;
    for (size_t k = 0; k < s->n_keys; k++) n += is_key_column(s, k);
    return n;
}

/* Owned by the table. NULL: no memory. */
static const char *keep_text(struct comparison_table *t, const char *text) {
    char *copy = text_copy(text);
    if (copy) t->texts[t->n_texts++] = copy;
    return copy;
}

static enum err_code make_columns(struct comparison_table *t, const struct summary *s,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    size_t n = COLUMNS_N;
    t->list = calloc(COLUMNS_N + s->n_keys, sizeof *t->list);
    CHECK(t->list, ERR_MEMORY, "no memory for %zu columns", s->n_keys);
    memcpy(t->list, COLUMNS, sizeof COLUMNS);
    for (size_t k = 0; k < s->n_keys; k++) {
        if (!is_key_column(s, k)) continue;
        char name[KEY_COLUMN_NAME];
        (void)snprintf(name, sizeof name, "%s", text_str(&s->heads[k]));
        for (char *at = name; *at; at++)
            if (*at == '.') *at = '_';
        const char *kept = keep_text(t, name);
        CHECK(kept, ERR_MEMORY, "no memory for %zu columns", s->n_keys);
        t->list[n++] = (struct job_column){kept, s->number[k] ? JOB_REAL : JOB_TEXT, "",
                                           "key of the config that varies"};
    }
    t->columns = (struct job_columns){t->list, n};
cleanup:
    return rc;
}

/* ---- the cells */

/* "" where the key column says that there is none. */
static const char *key_text(const struct summary_group *g, size_t key) {
    const char *text = text_str(&g->keys[key]);
    return strcmp(text, "-") == 0 ? "" : text;
}

static double key_number(const struct summary_group *g, size_t key) {
    const char *text = key_text(g, key);
    return *text ? strtod(text, NULL) : nan("");
}

/* "-0.5 -0.25 0.125" */
static void list_seeds(struct text *out, const struct comparison *c) {
    char number[CELL_TEXT];
    for (size_t i = 0; i < COMPARISON_SEEDS && c->seeds > 1 && c->seeds <= COMPARISON_SEEDS; i++) {
        cell_text_exact(number, c->by_seed[i]);
        if (i < c->seeds) text_add(out, "%s%s", i ? " " : "", number[0] ? number : "-");
    }
}

static double finite_or_nan(double x) { return isfinite(x) ? x : nan(""); }

static void fill_row(struct job_value *cells, const struct comparison *c, const char *by_seed) {
    const struct summary_group *g = c->line;
    const struct comparison_row row = {
        .source = g->source,
        .shift = g->shift,
        .method = key_text(g, 0),
        .reading = key_text(g, 1),
        .group = g->kind == SUMMARY_VECTOR ? "vector" : "control",
        .fit_points = key_number(g, 2),
        .against = c->against,
        .range = c->range->name,
        .k_first = (int64_t)c->range->first,
        .k_last = (int64_t)c->range->last,
        .functions = (int64_t)g->functions,
        .seeds = (int64_t)c->seeds,
        .models = (int64_t)c->models,
        .error = finite_or_nan(c->error),
        .against_error = finite_or_nan(c->other_error),
        .difference = c->difference.value,
        .difference_low = c->difference.low,
        .difference_high = c->difference.high,
        .seeds_low = c->over_seeds.low,
        .seeds_high = c->over_seeds.high,
        .by_seed = by_seed,
        .p = c->tests.sign_flip,
        .p_holm = c->holm,
        .p_wilcoxon = c->tests.wilcoxon,
        .effect = c->tests.standardised,
        .rank_effect = c->tests.rank,
        .recovered = c->recovered.value,
        .recovered_low = c->recovered.low,
        .recovered_high = c->recovered.high,
        .worse = c->tests.worse,
    };
    row_cells(cells, &row);
}

static void fill_keys(struct job_value *cells, const struct comparison *c,
                      const struct summary *s) {
    size_t at = 0;
    for (size_t k = 0; k < s->n_keys; k++) {
        if (!is_key_column(s, k)) continue;
        const bool known =
            c->models == 1 || !s->of_model[k]; /* else each model has another value */
        cells[at] = (struct job_value){.type = s->number[k] ? JOB_REAL : JOB_TEXT};
        if (s->number[k])
            cells[at++].as.real = known ? key_number(c->line, k) : nan("");
        else
            cells[at++].as.text = known ? key_text(c->line, k) : "";
    }
}

enum err_code comparison_table_make(struct comparison_table *out, const struct comparisons *c,
                                    const struct summary *s, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text by_seed = {0};
    const size_t columns = COLUMNS_N + count_keys(s);
    out->texts = calloc(c->n + s->n_keys + 1, sizeof *out->texts);
    out->cells = calloc(c->n * columns + 1, sizeof *out->cells);
    CHECK(out->texts && out->cells, ERR_MEMORY, "no memory for %zu comparisons", c->n);
    TRY(make_columns(out, s, err));
    for (out->n = 0; out->n < c->n; out->n++) {
        struct job_value *cells = out->cells + out->n * columns;
        text_clear(&by_seed);
        list_seeds(&by_seed, &c->list[out->n]);
        const char *kept = keep_text(out, text_str(&by_seed));
        CHECK(kept && !by_seed.failed, ERR_MEMORY, "no memory for %zu comparisons", c->n);
        fill_row(cells, &c->list[out->n], kept);
        fill_keys(cells + COLUMNS_N, &c->list[out->n], s);
    }
cleanup:
    text_release(&by_seed);
    return rc;
}

void comparison_table_release(struct comparison_table *t) {
    for (size_t i = 0; i < t->n_texts; i++) free(t->texts[i]);
    free(t->texts);
    free(t->cells);
    free(t->list);
    *t = (struct comparison_table){0};
}
