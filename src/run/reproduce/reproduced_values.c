#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/reproduce/reproduced.h"
#include "run/rundir/run_state.h"
#include "run/tables/stage_table.h"
#include "stats/student.h"

enum { BY_MAX = 8 };

static const char *const KEYS[] = {"name",     "stage",  "where",          "column",
                                   "k",        "by",     "reference",      "tolerance",
                                   "relative", "errors", "standard_error", "prompts"};

struct value { /* one of "values", and the table that it is read from */
    const char *path, *name;
    struct json json, where, k;
    const struct stage_table *table;
    size_t column, at;                 /* at: of k; columns.n: none */
    size_t low, high, functions;       /* of the interval of `column`; columns.n: none */
    size_t by[BY_MAX], n_by;           /* columns */
    double tolerance, relative;        /* 0 where absent */
    double allowed;                    /* standard errors */
    struct json references, errors, n; /* n: "prompts" */
};

/* ---- rows */

static bool is_cell(const struct job_value *cell, struct json wanted) {
    struct err unused;
    double number = 0.0;
    const char *text = NULL;
    if (cell->type == JOB_TEXT)
        return json_read_text(&text, wanted, "", &unused) == ERR_OK &&
               strcmp(cell->as.text, text) == 0;
    return json_read_number(&number, wanted, "", &unused) == ERR_OK &&
           fabs(stage_table_number(cell) - number) <= 1e-9 * fabs(number);
}

/* All columns of "where" have the wanted values, and those of "by" the values of row `like`. */
static bool is_row(const struct value *v, size_t row, size_t like) {
    const struct stage_table *t = v->table;
    for (struct json_walk w = {.object = v->where}; json_next(&w);)
        if (!is_cell(stage_table_cell(t, row, stage_table_column(t, w.key)), w.value)) return false;
    for (size_t i = 0; i < v->n_by; i++)
        if (!stage_table_is_same(stage_table_cell(t, row, v->by[i]),
                                 stage_table_cell(t, like, v->by[i])))
            return false;
    return true;
}

static enum err_code read_range(double *low, double *high, struct json k, const char *path,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    const bool range = json_kind(k) == JSON_KIND_ARRAY;
    TRY(json_read_number(low, range ? json_item(k, 0) : k, path, err));
    TRY(json_read_number(high, range ? json_item(k, 1) : k, path, err));
cleanup:
    return rc;
}

/* The standard error of a row's mean, from its interval; NaN: it has none. */
static double row_error(const struct value *v, size_t row) {
    const struct stage_table *t = v->table;
    if (v->low == t->columns.n || v->high == t->columns.n || v->functions == t->columns.n)
        return nan("");
    const double n = stage_table_number(stage_table_cell(t, row, v->functions));
    const double width = stage_table_number(stage_table_cell(t, row, v->high)) -
                         stage_table_number(stage_table_cell(t, row, v->low));
    return n < 2 ? nan("") : width / 2.0 / student_quantile(0.975, n - 1.0);
}

/* Mean over the rows in [low, high]. Its error is the mean of theirs, as errors at neighbouring k
 * are of the same functions; *functions: of the last row. */
static double mean_of(double *error, double *functions, const struct value *v, size_t like,
                      double low, double high) {
    const struct stage_table *t = v->table;
    const size_t none = t->columns.n;
    double sum = 0.0, errors = 0.0;
    size_t n = 0;
    for (size_t row = 0; row < t->n; row++) {
        const double k = v->at == none ? low : stage_table_number(stage_table_cell(t, row, v->at));
        const double value = stage_table_number(stage_table_cell(t, row, v->column));
        if (!(k >= low && k <= high) || isnan(value) || !is_row(v, row, like)) continue;
        sum += value, errors += row_error(v, row), n++;
        if (v->functions != none)
            *functions = stage_table_number(stage_table_cell(t, row, v->functions));
    }
    *error = errors / (double)n;
    return sum / (double)n; /* NaN where there is no row */
}

/* ---- a value */

static enum err_code read_number(double *out, struct json value, const char *path,
                                 struct err *err) {
    return value.node ? json_read_number(out, value, path, err) : ERR_OK;
}

/* Reference and tolerance; error: of our mean of that many functions. */
static enum err_code set_reference(struct reproduced_point *p, const struct value *v, size_t i,
                                   double error, double functions, struct err *err) {
    enum err_code rc = ERR_OK;
    double theirs = 0.0, prompts = 0.0;
    p->reference = p->tolerance = nan("");
    if (!v->references.node) return ERR_OK;
    TRY(json_read_number(&p->reference, json_item(v->references, i), v->path, err));
    TRY(read_number(&theirs, json_item(v->errors, i), v->path, err));
    TRY(read_number(&prompts, v->n, v->path, err));
    p->tolerance = v->tolerance + v->relative * fabs(p->reference);
    if (!v->errors.node && prompts == 0.0) return ERR_OK;
    if (prompts > 0.0 && p->value > 0.0)
        theirs = fabs(p->reference) * error / p->value * sqrt(functions / prompts);
    const double allowed = v->allowed * hypot(error, theirs);
    p->by_error = v->allowed == REPRODUCED_ERRORS;
    p->within_half = fabs(p->value - p->reference) <= p->tolerance + allowed / 2.0;
    p->tolerance += allowed;
cleanup:
    return rc;
}

static enum err_code make_point(struct reproduced_point *p, const struct value *v, size_t like,
                                size_t i, struct err *err) {
    enum err_code rc = ERR_OK;
    double low = 0.0, high = 0.0, error = 0.0, functions = 0.0;
    *p = (struct reproduced_point){0};
    if (v->k.node) {
        TRY(read_range(&low, &high, json_item(v->k, i), v->path, err));
        (void)snprintf(p->at, sizeof p->at, low < high ? "%g-%g" : "%g", low, high);
    } else if (v->at != v->table->columns.n) {
        low = -HUGE_VAL, high = HUGE_VAL;
    }
    p->value = mean_of(&error, &functions, v, like, low, high);
    TRY(set_reference(p, v, i, error, functions, err));
cleanup:
    return rc;
}

/* "ltv, 71": the name, then the values of "by". */
static void add_name(struct text *name, const struct value *v, size_t like) {
    text_add(name, "%s", v->name);
    for (size_t i = 0; i < v->n_by; i++) {
        const struct job_value *cell = stage_table_cell(v->table, like, v->by[i]);
        if (stage_table_is_missing(cell)) continue;
        text_add(name, "%s", name->size ? ", " : "");
        if (cell->type == JOB_TEXT)
            text_add(name, "%s", cell->as.text);
        else
            text_add(name, "%g", stage_table_number(cell));
    }
}

static enum err_code add_group(struct reproduced *out, const struct value *v, size_t like,
                               bool whole, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text name = {0};
    const size_t n = v->k.node ? json_count(v->k) : 1;
    struct reproduced_point *points = calloc(n + 1, sizeof *points);
    CHECK(points, ERR_MEMORY, "no memory for %zu values", n);
    for (size_t i = 0; i < n; i++) TRY(make_point(&points[i], v, like, i, err));
    add_name(&name, v, like);
    TRY(text_check(&name, err));
    TRY(reproduced_add(out, text_str(&name), points, n, whole, err));
cleanup:
    text_release(&name);
    free(points);
    return rc;
}

/* A group for each combination of "by"; without rows one, whose value is missing. */
static enum err_code add_groups(struct reproduced *out, const struct value *v, bool whole,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    size_t groups = 0;
    for (size_t row = 0; row < v->table->n; row++) {
        size_t first = 0;
        if (!is_row(v, row, row)) continue;
        while (!is_row(v, first, row)) first++;
        if (first < row) continue;
        TRY(add_group(out, v, row, whole, err));
        groups++;
    }
    if (groups > 0) return ERR_OK;
    if (v->references.node) return add_group(out, v, 0, whole, err);
    return reproduced_add_remark(out, v->name, "the run has no such rows", err);
cleanup:
    return rc;
}

/* ---- what a value says */

static enum err_code find_column(size_t *out, const struct value *v, const char *name,
                                 struct err *err) {
    *out = stage_table_column(v->table, name);
    if (*out < v->table->columns.n) return ERR_OK;
    return ERR(err, ERR_DATA, "%s: %s: the table of its stage has no column %s", v->path, v->name,
               name);
}

static size_t interval_column(const struct value *v, const char *column, const char *end) {
    char name[128];
    (void)snprintf(name, sizeof name, "%s_%s", column, end);
    return stage_table_column(v->table, name);
}

static enum err_code read_columns(struct value *v, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct json column = json_member(v->json, "column"), by = json_member(v->json, "by");
    const char *name = "mse";
    size_t unused;
    if (column.node) TRY(json_read_text(&name, column, v->path, err));
    TRY(find_column(&v->column, v, name, err));
    v->low = interval_column(v, name, "low"), v->high = interval_column(v, name, "high");
    v->functions = stage_table_column(v->table, "functions");
    v->at = stage_table_column(v->table, "k");
    for (struct json_walk w = {.object = v->where}; json_next(&w);)
        TRY(find_column(&unused, v, w.key, err));
    CHECK(json_count(by) <= BY_MAX, ERR_DATA, "%s: %s: by has more than %d columns", v->path,
          v->name, BY_MAX);
    for (v->n_by = 0; v->n_by < json_count(by); v->n_by++) {
        TRY(json_read_text(&name, json_item(by, v->n_by), v->path, err));
        TRY(find_column(&v->by[v->n_by], v, name, err));
    }
cleanup:
    return rc;
}

static enum err_code read_value(struct value *v, const struct reproduction *r, struct json json,
                                const struct stage_table *t, struct err *err) {
    enum err_code rc = ERR_OK;
    *v = (struct value){.path = r->path,
                        .json = json,
                        .table = t,
                        .where = json_member(json, "where"),
                        .k = json_member(json, "k"),
                        .allowed = REPRODUCED_ERRORS,
                        .references = json_member(json, "reference"),
                        .errors = json_member(json, "standard_error"),
                        .n = json_member(json, "prompts")};
    TRY(json_read_text(&v->name, json_member(json, "name"), r->path, err));
    TRY(json_expect_members(json, KEYS, sizeof KEYS / sizeof *KEYS, r->path, err));
    TRY(read_number(&v->tolerance, json_member(json, "tolerance"), r->path, err));
    TRY(read_number(&v->relative, json_member(json, "relative"), r->path, err));
    TRY(read_number(&v->allowed, json_member(json, "errors"), r->path, err));
    TRY(read_columns(v, err));
    CHECK(!v->references.node ||
              (v->n_by == 0 && json_count(v->references) == (v->k.node ? json_count(v->k) : 1)),
          ERR_DATA, "%s: %s: expected one reference for each of k, and no by", r->path, v->name);
    CHECK(!v->errors.node || json_count(v->errors) == json_count(v->references), ERR_DATA,
          "%s: %s: expected one standard_error for each reference", r->path, v->name);
cleanup:
    return rc;
}

static enum err_code add_value(struct reproduced *out, const struct reproduction *r,
                               struct json json, const struct run_state *run, bool whole,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    struct stage_table table = {0};
    struct value v;
    const char *stage;
    TRY(json_read_text(&stage, json_member(json, "stage"), r->path, err));
    const size_t s = plan_find_stage(&run->plan, stage);
    CHECK(s != PLAN_NONE, ERR_DATA, "%s: %s has no stage %s", r->path, run->dir, stage);
    TRY(stage_table_collect(&table, run, s, err));
    TRY(read_value(&v, r, json, &table, err));
    TRY(add_groups(out, &v, whole, err));
cleanup:
    stage_table_release(&table);
    return rc;
}

enum err_code reproduced_from_run(struct reproduced *out, const struct reproduction *r,
                                  const struct reproduction_scale *s, const char *dir, bool whole,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    struct run_state run = {0};
    TRY(run_state_open(&run, dir, err));
    for (size_t i = 0; i < json_count(s->values); i++)
        TRY(add_value(out, r, json_item(s->values, i), &run, whole, err));
cleanup:
    run_state_release(&run);
    return rc;
}
