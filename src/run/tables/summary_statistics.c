#include "run/tables/summary_statistics.h"

#include <stdlib.h>
#include <string.h>

#include "stats/bootstrap.h"

/* The line of `method` that may be compared with *g; NULL: there is none. */
static const struct summary_group *line_of(const struct summary *s, const struct summary_group *g,
                                           const char *method) {
    for (size_t i = 0; i < s->n; i++) {
        const struct summary_group *other = &s->groups[i];
        if (strcmp(text_str(&other->keys[0]), method) == 0 && other->functions == g->functions &&
            other->points == g->points &&
            strcmp(text_str(&other->setting), text_str(&g->setting)) == 0)
            return other;
    }
    return NULL;
}

static size_t beyond_of(const struct summary_group *g) {
    for (size_t i = 0; i < g->n_ranges; i++)
        if (strcmp(g->ranges[i].name, "beyond") == 0) return i;
    return g->n_ranges;
}

/* mean(method - plain) over the trained range, paired over functions. */
static bool damage_of(struct interval *out, const struct summary *s,
                      const struct summary_group *g) {
    const struct summary_group *plain = line_of(s, g, "plain");
    if (!plain || plain == g || !g->has_trained) return false;
    double *a = summary_means(g, SUMMARY_TRAINED), *b = summary_means(plain, SUMMARY_TRAINED);
    const bool known = a && b;
    if (known) *out = interval_paired(a, b, g->functions, 0.95);
    free(a);
    free(b);
    return known;
}

/* (plain - method) / (plain - oracle) of means beyond the trained range; its interval is a
 * bootstrap over functions with a stream of its own, so that every line sees the same resamples. */
static bool recovered_of(struct interval *out, const struct summary *s,
                         const struct summary_group *g) {
    const struct summary_group *plain = line_of(s, g, "plain"), *oracle = line_of(s, g, "oracle");
    const size_t range = beyond_of(g);
    if (!plain || !oracle || plain == g || oracle == g || range == g->n_ranges) return false;
    const struct bootstrap b = {rng_stream(1, "bootstrap/fidelity"), 2000, 0.95};
    struct interval loss;
    struct err ignored = {0};
    bool known = false;
    double *x = summary_means(plain, range), *y = summary_means(g, range),
           *z = summary_means(oracle, range);
    const bool made =
        x && y && z &&
        bootstrap_recovered(out, &loss, &known, x, y, z, g->functions, &b, &ignored) == ERR_OK;
    free(x);
    free(y);
    free(z);
    return made && known;
}

static const char *recovered_absent(const struct summary *s) {
    for (size_t i = 0; i < s->n; i++) {
        const struct summary_group *g = &s->groups[i];
        const struct summary_group *plain = line_of(s, g, "plain"),
                                   *oracle = line_of(s, g, "oracle");
        if (plain && oracle && g != plain && g != oracle && beyond_of(g) < g->n_ranges)
            return "the interval of plain minus oracle beyond the trained range contains 0";
    }
    return NULL;
}

const struct summary_statistic SUMMARY_STATISTICS[SUMMARY_STATISTICS_N] = {
    {"damage", "method minus plain within the trained range, paired over functions", 6, damage_of,
     NULL},
    {"recovered", "(plain - method) / (plain - oracle) beyond the trained range", 1, recovered_of,
     recovered_absent},
};
