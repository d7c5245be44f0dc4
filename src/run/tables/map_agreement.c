#include "run/tables/map_agreement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/rank_agreement.h"

#define MAP_AGREEMENT_ROW(X)                                                                       \
    X(TEXT, method, "", "method of the fit")                                                       \
    X(TEXT, reading, "", "variant of the method")                                                  \
    X(TEXT, source, "", "problem of the test functions")                                           \
    X(TEXT, map, "", "map that orders the heads: weight, change, leave_one_out, effect")           \
    X(TEXT, against, "", "map that it is compared with; the same one: of another repeat")          \
    X(REAL, repeat, "", "repeat of the fit")                                                       \
    X(REAL, against_repeat, "", "repeat of the fit that it is compared with")                      \
    X(INT, heads, "", "heads of the model")                                                        \
    X(INT, top, "", "heads that overlap is of: a quarter of all, at least one")                    \
    X(REAL, spearman, "", "correlation of the ranks of all heads")                                 \
    X(REAL, overlap, "", "share of the top heads of one that are top heads of the other")          \
    X(REAL, expected, "", "the same of two unrelated orders")                                      \
    X(TEXT, job, "", "job of the first map")                                                       \
    X(TEXT, against_job, "", "job of the second map")

struct map_agreement_row {
    MAP_AGREEMENT_ROW(ROW_FIELD)
};
static const struct job_column COLUMNS[] = {MAP_AGREEMENT_ROW(ROW_COLUMN)};
enum { COLUMNS_N = sizeof COLUMNS / sizeof *COLUMNS };

static const char *const MAP_NAMES[] = {"weight", "change", "leave_one_out", "effect"};
enum {
    MAPS = sizeof MAP_NAMES / sizeof *MAP_NAMES,
    BY_SIZE = 2,      /* the first two */
    OF_FIT = MAPS - 1 /* all but the last, which does not depend on the fit */
};

struct mapped_fit { /* the rows of one job */
    const struct job_value *cells;
    size_t heads;
    double *map[MAPS]; /* [heads] */
};

struct agreements {
    const struct stage_table *rows;
    struct stage_table *out;
    struct mapped_fit *fits;
    size_t n;
    double *values; /* of all maps */
};

/* ---- the jobs */

static const struct job_value *map_cell(const struct agreements *a, const struct job_value *cells,
                                        const char *name) {
    for (size_t c = 0; c < a->rows->columns.n; c++)
        if (strcmp(a->rows->list[c].name, name) == 0) return &cells[c];
    return NULL;
}

static double map_number(const struct agreements *a, const struct job_value *cells,
                         const char *name) {
    const struct job_value *cell = map_cell(a, cells, name);
    if (!cell || stage_table_is_missing(cell)) return nan("");
    return cell->type == JOB_INT ? (double)cell->as.integer : cell->as.real;
}

static const char *map_text(const struct agreements *a, const struct job_value *cells,
                            const char *name) {
    const struct job_value *cell = map_cell(a, cells, name);
    return cell && cell->type == JOB_TEXT ? cell->as.text : "";
}

static void read_maps(struct agreements *a, struct mapped_fit *fit, double *values) {
    for (size_t m = 0; m < MAPS; m++) {
        fit->map[m] = values + m * fit->heads;
        for (size_t h = 0; h < fit->heads; h++) {
            const double x = map_number(a, fit->cells + h * a->rows->columns.n, MAP_NAMES[m]);
            fit->map[m][h] = m < BY_SIZE ? fabs(x) : x;
        }
    }
}

/* Rows of a job follow each other. */
static void find_fits(struct agreements *a) {
    const size_t width = a->rows->columns.n;
    for (size_t r = 0, end; r < a->rows->n; r = end) {
        const struct job_value *first = a->rows->cells + r * width;
        const char *job = map_text(a, first, "job");
        for (end = r + 1; end < a->rows->n; end++)
            if (strcmp(map_text(a, a->rows->cells + end * width, "job"), job) != 0) break;
        struct mapped_fit *fit = &a->fits[a->n++];
        *fit = (struct mapped_fit){.cells = first, .heads = end - r};
        read_maps(a, fit, a->values + r * MAPS);
    }
}

/* Columns in which repeats of one fit may differ: its number, and what is measured. */
static bool is_free(const struct agreements *a, size_t column) {
    const char *name = a->rows->list[column].name;
    static const char *const SAME[] = {"method", "reading",   "fit_points", "source",
                                       "points", "functions", "wpe_seed"};
    for (size_t i = 0; i < sizeof SAME / sizeof *SAME; i++)
        if (strcmp(name, SAME[i]) == 0) return false;
    return column <= a->rows->job; /* keys that vary follow */
}

static bool cells_equal(const struct job_value *a, const struct job_value *b) {
    if (stage_table_is_missing(a) || stage_table_is_missing(b))
        return stage_table_is_missing(a) && stage_table_is_missing(b);
    if (a->type == JOB_TEXT) return strcmp(a->as.text, b->as.text) == 0;
    return a->type == JOB_INT ? a->as.integer == b->as.integer : a->as.real == b->as.real;
}

static bool are_repeats(const struct agreements *a, const struct mapped_fit *x,
                        const struct mapped_fit *y) {
    if (x->heads != y->heads) return false;
    for (size_t c = 0; c < a->rows->columns.n; c++)
        if (!is_free(a, c) && !cells_equal(&x->cells[c], &y->cells[c])) return false;
    return true;
}

/* ---- the pairs */

static bool map_is_known(const double *map, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!isfinite(map[i])) return false;
    return true;
}

static void map_agreement_cells(struct job_value *cells, const struct map_agreement_row *row) {
    const struct job_value all[] = {MAP_AGREEMENT_ROW(ROW_CELL)};
    memcpy(cells, all, sizeof all);
}

static enum err_code add_map_pair(struct agreements *a, const struct mapped_fit *x, size_t mx,
                                  const struct mapped_fit *y, size_t my, struct err *err) {
    enum err_code rc = ERR_OK;
    struct rank_agreement found;
    const size_t top = x->heads / 4 > 0 ? x->heads / 4 : 1;
    if (!map_is_known(x->map[mx], x->heads) || !map_is_known(y->map[my], y->heads)) return ERR_OK;
    TRY(rank_agreement_of(&found, x->map[mx], y->map[my], x->heads, top, err));
    const struct map_agreement_row row = {
        .method = map_text(a, x->cells, "method"),
        .reading = map_text(a, x->cells, "reading"),
        .source = map_text(a, x->cells, "source"),
        .map = MAP_NAMES[mx],
        .against = MAP_NAMES[my],
        .repeat = map_number(a, x->cells, "repeat"),
        .against_repeat = map_number(a, y->cells, "repeat"),
        .heads = (int64_t)x->heads,
        .top = (int64_t)top,
        .spearman = found.spearman,
        .overlap = found.overlap,
        .expected = found.expected,
        .job = map_text(a, x->cells, "job"),
        .against_job = map_text(a, y->cells, "job"),
    };
    map_agreement_cells(a->out->cells + a->out->n++ * COLUMNS_N, &row);
cleanup:
    return rc;
}

static enum err_code add_pairs(struct agreements *a, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t i = 0; i < a->n; i++) {
        for (size_t m = 0; m < MAPS; m++)
            for (size_t k = m + 1; k < MAPS; k++)
                TRY(add_map_pair(a, &a->fits[i], m, &a->fits[i], k, err));
        for (size_t j = i + 1; j < a->n; j++)
            for (size_t m = 0; m < OF_FIT && are_repeats(a, &a->fits[i], &a->fits[j]); m++)
                TRY(add_map_pair(a, &a->fits[i], m, &a->fits[j], m, err));
    }
cleanup:
    return rc;
}

enum err_code map_agreement_make(struct stage_table *out, const struct stage_table *rows,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    struct agreements a = {.rows = rows, .out = out};
    *out = (struct stage_table){.job = COLUMNS_N - 2};
    a.fits = calloc(rows->n + 1, sizeof *a.fits);
    a.values = calloc(rows->n * MAPS + 1, sizeof *a.values);
    out->list = calloc(COLUMNS_N, sizeof *out->list);
    CHECK(a.fits && a.values && out->list, ERR_MEMORY, "no memory for maps of %zu heads", rows->n);
    find_fits(&a);
    const size_t most = a.n * (MAPS * (MAPS - 1) / 2 + OF_FIT * a.n);
    out->cells = calloc(most * COLUMNS_N + 1, sizeof *out->cells);
    CHECK(out->cells, ERR_MEMORY, "no memory for %zu pairs of maps", most);
    memcpy(out->list, COLUMNS, sizeof COLUMNS);
    out->columns = (struct job_columns){out->list, COLUMNS_N};
    out->zero_is_none = out->job;
    TRY(add_pairs(&a, err));
cleanup:
    free(a.values);
    free(a.fits);
    if (rc != ERR_OK) stage_table_release(out);
    return rc;
}
