#include "run/tables/summary_statistics.h"

#include <string.h>

#include "run/tables/line_pair.h"
#include "stats/bootstrap.h"

static const struct error_range *beyond_of(const struct summary_group *g) {
    for (size_t i = 0; i < g->n_ranges; i++)
        if (strcmp(g->ranges[i].name, "beyond") == 0) return &g->ranges[i];
    return NULL;
}

/* mean(method - plain) over the trained range. */
static bool damage_of(struct interval *out, struct summary *s, const struct summary_group *g) {
    const struct summary_group *plain = line_pair_find(s, g, "plain");
    if (!plain || plain == g || !g->has_trained) return false;
    struct err ignored = {0};
    bool known;
    return summary_difference(out, &known, s, g, plain, &g->ranges[SUMMARY_TRAINED], &ignored) ==
               ERR_OK &&
           known;
}

/* (plain - method) / (plain - oracle) of means beyond the trained range. */
static bool recovered_of(struct interval *out, struct summary *s, const struct summary_group *g) {
    const struct error_range *range = beyond_of(g);
    struct err ignored = {0};
    bool known;
    return range && summary_recovered(out, &known, s, g, range, &ignored) == ERR_OK && known;
}

static const char *recovered_absent(const struct summary *s) {
    for (size_t i = 0; i < s->n; i++) {
        const struct summary_group *g = &s->groups[i];
        const struct summary_group *plain = line_pair_find(s, g, "plain"),
                                   *oracle = line_pair_find(s, g, "oracle");
        if (plain && oracle && g != plain && g != oracle && beyond_of(g))
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

enum err_code summary_difference(struct interval *out, bool *known, struct summary *s,
                                 const struct summary_group *a, const struct summary_group *b,
                                 const struct error_range *range, struct err *err) {
    enum err_code rc = ERR_OK;
    struct line_pair pair = {0};
    struct resamples resamples;
    TRY(line_pair_make(&pair, known, a, b, range, err));
    if (!*known) goto cleanup;
    *out = interval_paired(pair.a, pair.b, pair.functions, SUMMARY_CONFIDENCE);
    if (pair.seeds == 1) goto cleanup;
    TRY(resampler_get(&resamples, &s->resampler, pair.seeds, pair.functions, err));
    for (size_t i = 0; i < pair.seeds * pair.functions; i++) pair.a[i] -= pair.b[i];
    TRY(bootstrap_mean(out, pair.a, &resamples, SUMMARY_CONFIDENCE, err));
cleanup:
    line_pair_release(&pair);
    return rc;
}

enum err_code summary_recovered(struct interval *out, bool *known, struct summary *s,
                                const struct summary_group *g, const struct error_range *range,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    const struct summary_group *plain = line_pair_find(s, g, "plain"),
                               *oracle = line_pair_find(s, g, "oracle");
    struct line_pair of_plain = {0}, of_oracle = {0};
    struct resamples resamples;
    struct interval loss;
    *known = false;
    if (!plain || !oracle || plain == g || oracle == g) return ERR_OK;
    TRY(line_pair_make(&of_plain, known, g, plain, range, err));
    if (*known) TRY(line_pair_make(&of_oracle, known, g, oracle, range, err));
    if (!*known) goto cleanup;
    TRY(resampler_get(&resamples, &s->resampler, of_plain.seeds, of_plain.functions, err));
    TRY(bootstrap_recovered(out, &loss, known, of_plain.b, of_plain.a, of_oracle.b, &resamples,
                            SUMMARY_CONFIDENCE, err));
cleanup:
    line_pair_release(&of_plain);
    line_pair_release(&of_oracle);
    return rc;
}
