#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/tables/summary.h"
#include "stats/bootstrap.h"

/* ---- which columns */

struct columns {
    struct error_range ranges[64]; /* distinct ones, as met */
    size_t n;
    bool damage, recovered; /* some line has such a number */
};

static bool same_range(const struct error_range *a, const struct error_range *b) {
    return a->first == b->first && a->last == b->last;
}

static void collect_ranges(struct columns *c, const struct summary_group *g) {
    for (size_t i = 0; i < g->n_ranges; i++) {
        bool known = false;
        for (size_t k = 0; k < c->n; k++) known |= same_range(&c->ranges[k], &g->ranges[i]);
        if (!known && c->n < sizeof c->ranges / sizeof *c->ranges) c->ranges[c->n++] = g->ranges[i];
    }
}

/* ---- numbers of one line */

/* Means over repeats of the sums of one range, on the heap. */
static double *means_of(const struct summary_group *g, size_t range) {
    double *means = malloc(g->functions * sizeof *means);
    for (size_t f = 0; means && f < g->functions; f++)
        means[f] = g->sums[range * g->functions + f] / (double)g->repeats;
    return means;
}

static const struct summary_group *rival(const struct summary *s, const struct summary_group *g,
                                         const char *method) {
    for (size_t i = 0; i < s->n; i++) {
        const struct summary_group *r = &s->groups[i];
        if (strcmp(text_str(&r->keys[0]), method) == 0 && r->functions == g->functions &&
            r->points == g->points && strcmp(text_str(&r->setting), text_str(&g->setting)) == 0)
            return r;
    }
    return NULL;
}

static size_t beyond_of(const struct summary_group *g) {
    for (size_t i = 0; i < g->n_ranges; i++)
        if (strcmp(g->ranges[i].name, "beyond") == 0) return i;
    return g->n_ranges;
}

/* mean(method - plain) over the trained range, paired over functions. False: no such number. */
static bool damage_of(struct interval *out, const struct summary *s,
                      const struct summary_group *g) {
    const struct summary_group *plain = rival(s, g, "plain");
    if (!plain || plain == g || !g->has_trained) return false;
    double *a = means_of(g, SUMMARY_TRAINED), *b = means_of(plain, SUMMARY_TRAINED);
    if (a && b) *out = interval_paired(a, b, g->functions, 0.95);
    const bool known = a && b;
    free(a);
    free(b);
    return known;
}

static bool recovered_of(struct interval *out, const struct summary *s,
                         const struct summary_group *g) {
    const struct summary_group *plain = rival(s, g, "plain"), *oracle = rival(s, g, "oracle");
    const size_t range = beyond_of(g);
    if (!plain || !oracle || plain == g || oracle == g || range == g->n_ranges) return false;
    const struct bootstrap b = {rng_stream(1, "bootstrap/fidelity"), 2000, 0.95};
    struct interval loss;
    struct err ignored = {0};
    bool known = false;
    double *x = means_of(plain, range), *y = means_of(g, range), *z = means_of(oracle, range);
    const bool made =
        x && y && z &&
        bootstrap_fidelity(out, &loss, &known, x, y, z, g->functions, &b, &ignored) == ERR_OK;
    free(x);
    free(y);
    free(z);
    return made && known;
}

/* ---- cells */

static void head_cells(struct text_table *t, const char *name, bool split) {
    text_table_cell(t, "%s", name);
    if (split) text_table_cell(t, "%s low", name), text_table_cell(t, "%s high", name);
}

static void interval_cells(struct text_table *t, const struct interval *i, bool split) {
    char value[32], low[32], high[32];
    error_range_number(value, i->value);
    error_range_number(low, i->low);
    error_range_number(high, i->high);
    if (split) {
        text_table_cell(t, "%s", value), text_table_cell(t, "%s", low),
            text_table_cell(t, "%s", high);
    } else {
        text_table_cell(t, "%s [%s, %s]", value, low, high);
    }
}

static void empty_cells(struct text_table *t, bool split) {
    for (int i = 0; i < (split ? 3 : 1); i++) text_table_cell(t, "-");
}

static void print_heads(struct text_table *t, const struct summary *s, const struct columns *c,
                        bool split) {
    for (size_t i = 0; i < s->n_keys; i++) text_table_cell(t, "%s", text_str(&s->heads[i]));
    text_table_cell(t, "repeats");
    for (size_t i = 0; i < c->n; i++) {
        const struct error_range *r = &c->ranges[i];
        char name[64];
        if (r->first == r->last)
            (void)snprintf(name, sizeof name, "k %zu", r->first);
        else
            (void)snprintf(name, sizeof name, "k %zu-%zu %s", r->first, r->last, r->name);
        head_cells(t, name, split);
    }
    if (c->damage) head_cells(t, "damage", split);
    if (c->recovered) head_cells(t, "recovered", split);
}

static enum err_code range_cells(struct text_table *t, const struct summary_group *g,
                                 const struct error_range *range, bool split, struct err *err) {
    for (size_t i = 0; i < g->n_ranges; i++) {
        if (!same_range(&g->ranges[i], range)) continue;
        double *means = means_of(g, i);
        if (!means) return ERR(err, ERR_MEMORY, "no memory for %zu functions", g->functions);
        const struct interval mean = error_range_interval(means, g->functions, 1);
        free(means);
        interval_cells(t, &mean, split);
        return ERR_OK;
    }
    empty_cells(t, split);
    return ERR_OK;
}

static enum err_code print_line(struct text_table *t, const struct summary *s,
                                const struct summary_group *g, const struct columns *c, bool split,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    struct interval number;
    for (size_t i = 0; i < s->n_keys; i++) text_table_cell(t, "%s", text_str(&g->keys[i]));
    text_table_cell(t, "%zu", g->repeats);
    for (size_t i = 0; i < c->n; i++) TRY(range_cells(t, g, &c->ranges[i], split, err));
    if (c->damage && damage_of(&number, s, g))
        interval_cells(t, &number, split);
    else if (c->damage)
        empty_cells(t, split);
    if (c->recovered && recovered_of(&number, s, g))
        interval_cells(t, &number, split);
    else if (c->recovered)
        empty_cells(t, split);
cleanup:
    return rc;
}

/* Methods before estimators; what may be compared stands together; within it, the order of the
 * plan. */
static void sort_lines(const struct summary_group **lines, size_t n) {
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k > 0; k--) {
            const struct summary_group *a = lines[k - 1], *b = lines[k];
            const int order = a->estimator != b->estimator
                                  ? a->estimator - b->estimator
                                  : strcmp(text_str(&a->setting), text_str(&b->setting));
            if (order <= 0) break;
            const struct summary_group *swap = lines[k];
            lines[k] = lines[k - 1];
            lines[k - 1] = swap;
        }
}

static void notes(struct text *out, const struct summary *s, const struct columns *c) {
    text_add(out, "\nmean squared error after k examples, 95%% t interval over %zu functions",
             s->n ? s->groups[0].functions : 0);
    if (c->damage) text_add(out, "; damage: method - plain within the trained range");
    if (c->recovered) text_add(out, "; recovered: (plain - method) / (plain - oracle) beyond it");
    text_add(out, "\n");
    if (s->missing) text_add(out, "%zu evaluations are not done yet\n", s->missing);
}

enum err_code summary_print(struct text *out, const struct summary *s,
                            enum text_table_format format, struct err *err) {
    enum err_code rc = ERR_OK;
    const bool split = format == SHEET_CSV;
    struct columns c = {.n = 0};
    struct text_table t = {0};
    struct interval number;
    const struct summary_group **lines = calloc(s->n + 1, sizeof *lines);
    CHECK(lines, ERR_MEMORY, "no memory for %zu lines", s->n);
    for (size_t i = 0; i < s->n; i++) {
        lines[i] = &s->groups[i];
        collect_ranges(&c, lines[i]);
        c.damage |= damage_of(&number, s, lines[i]);
        c.recovered |= recovered_of(&number, s, lines[i]);
    }
    sort_lines(lines, s->n);
    const size_t numbers = c.n + c.damage + c.recovered;
    TRY(text_table_init(&t, s->n_keys + 1 + numbers * (split ? 3 : 1), err));
    print_heads(&t, s, &c, split);
    for (size_t i = 0; i < s->n; i++) TRY(print_line(&t, s, lines[i], &c, split, err));
    TRY(text_table_print(out, &t, format, err));
    if (format != SHEET_CSV) notes(out, s, &c);
cleanup:
    text_table_release(&t);
    free(lines);
    return rc;
}
