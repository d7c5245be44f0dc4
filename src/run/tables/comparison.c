#include "run/tables/comparison.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/tables/line_pair.h"
#include "run/tables/summary_statistics.h"
#include "run/tables/summary_text.h"
#include "stats/bootstrap.h"
#include "stats/holm.h"

/* What vectors are compared with besides plain: of several such lines that of the lowest mean error
 * in the range, or the one that was made from the vector itself. */
static const struct {
    const char *method;
    bool of_vector, of_text;
} COMPARISON_AGAINST[] = {{"constant", false, false},
                          {"window", false, false},
                          {"mismatched", true, false},
                          {"random", true, true}};

static bool is_called(const struct summary_group *g, const char *method) {
    return strcmp(text_str(&g->keys[0]), method) == 0;
}

/* ---- the numbers of one comparison */

static double mean_of(const double *x, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    return sum / (double)n;
}

static struct interval known_interval(struct interval i) {
    if (!isfinite(i.value)) i.value = nan("");
    if (!isfinite(i.low) || !isfinite(i.high) || isnan(i.value)) i.low = i.high = nan("");
    return i;
}

static bool seeds_equal(const double *x, size_t n) {
    for (size_t i = 1; i < n; i++)
        if (x[i] != x[0]) return false;
    return true;
}

/* d: [seeds, functions]. */
static void compare_seeds(struct comparison *c, const double *d, size_t functions) {
    c->over_seeds = (struct interval){c->difference.value, nan(""), nan("")};
    for (size_t s = 0; s < COMPARISON_SEEDS; s++) c->by_seed[s] = nan("");
    if (c->seeds < 2 || c->seeds > COMPARISON_SEEDS) return;
    for (size_t s = 0; s < c->seeds; s++) c->by_seed[s] = mean_of(d + s * functions, functions);
    c->over_seeds = known_interval(interval_t(c->by_seed, c->seeds, SUMMARY_CONFIDENCE));
    if (seeds_equal(c->by_seed, c->seeds)) c->over_seeds.low = c->over_seeds.high = c->by_seed[0];
}

/* Leaves in d[0 .. functions) the mean of [seeds, functions] over seeds. */
static void average_seeds(double *d, size_t seeds, size_t functions) {
    for (size_t f = 0; f < functions; f++) {
        double sum = 0.0;
        for (size_t s = 0; s < seeds; s++) sum += d[s * functions + f];
        d[f] = sum / (double)seeds;
    }
}

static enum err_code prepare_flips(struct sign_flips *flips, size_t functions, struct err *err) {
    if (functions <= SIGN_FLIP_EXACT || (flips->signs && flips->values == functions)) return ERR_OK;
    sign_flips_release(flips);
    return sign_flips_draw(flips, COMPARISON_FLIPS, functions, 1, err);
}

enum err_code comparison_measure(struct comparison *c, struct line_pair *p, struct summary *s,
                                 struct sign_flips *flips, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = p->seeds * p->functions;
    struct resamples resamples;
    c->seeds = p->seeds;
    c->error = mean_of(p->a, n);
    c->other_error = mean_of(p->b, n);
    for (size_t i = 0; i < n; i++) p->a[i] -= p->b[i];
    TRY(resampler_get(&resamples, &s->resampler, p->seeds, p->functions, err));
    TRY(bootstrap_mean(&c->difference, p->a, &resamples, SUMMARY_CONFIDENCE, err));
    c->difference = known_interval(c->difference);
    compare_seeds(c, p->a, p->functions);
    average_seeds(p->a, p->seeds, p->functions);
    TRY(prepare_flips(flips, p->functions, err));
    TRY(paired_compare(&c->tests, p->a, p->functions, flips, err));
cleanup:
    return rc;
}

bool comparison_has_recovered(const struct comparison *c) {
    const struct summary_group *g = c->line;
    return is_called(c->other, "plain") && g->has_trained &&
           c->range->first > g->ranges[SUMMARY_TRAINED].last;
}

enum err_code comparisons_append(struct comparisons *out, const struct comparison *c,
                                 struct err *err) {
    if (out->n == out->capacity) {
        const size_t capacity = out->capacity ? 2 * out->capacity : 64;
        struct comparison *list = realloc(out->list, capacity * sizeof *list);
        if (!list) return ERR(err, ERR_MEMORY, "no memory for %zu comparisons", capacity);
        out->list = list;
        out->capacity = capacity;
    }
    out->list[out->n++] = *c;
    out->list[out->n - 1].recovered = known_interval(c->recovered);
    return ERR_OK;
}

static enum err_code add_comparison(struct comparisons *out, struct summary *s,
                                    struct comparison *c, struct err *err) {
    enum err_code rc = ERR_OK;
    struct line_pair pair = {0};
    bool known;
    c->models = 1;
    c->recovered = (struct interval){nan(""), nan(""), nan("")};
    TRY(line_pair_make(&pair, &known, c->line, c->other, c->range, err));
    if (!known) goto cleanup;
    TRY(comparison_measure(c, &pair, s, &out->flips, err));
    if (comparison_has_recovered(c))
        TRY(summary_recovered(&c->recovered, &known, s, c->line, c->range, err));
    TRY(comparisons_append(out, c, err));
cleanup:
    line_pair_release(&pair);
    return rc;
}

/* ---- which lines */

/* A control of the fit of *g. Of text `mismatched` may be the same fit of another task. */
static bool is_made_from(const struct summary_group *control, const struct summary_group *g) {
    if (summary_is_text(g) && is_called(control, "mismatched"))
        return summary_text_same_fit(control, g);
    return strcmp(text_str(&g->fit), text_str(&control->fit)) == 0;
}

/* The control that *g is compared with, AGAINST[i]; NULL: its setting has none. */
static const struct summary_group *find_other(const struct summary *s,
                                              const struct summary_group *g, size_t i,
                                              size_t range) {
    const struct summary_group *best = NULL;
    double least = HUGE_VAL;
    for (size_t k = 0; k < s->n; k++) {
        const struct summary_group *other = &s->groups[k];
        if (!is_called(other, COMPARISON_AGAINST[i].method) || !line_pair_same_setting(g, other) ||
            (COMPARISON_AGAINST[i].of_text && !summary_is_text(g)))
            continue;
        if (COMPARISON_AGAINST[i].of_vector && !is_made_from(other, g)) continue;
        const double error =
            mean_of(summary_errors(other, range), other->repeats * other->functions);
        if (best && !(error < least)) continue;
        best = other;
        least = error;
    }
    return best;
}

/* Against *other, which the table calls `name`; NULL: there is no such line. */
static enum err_code compare_with(struct comparisons *out, struct summary *s, struct comparison *c,
                                  const struct summary_group *other, const char *name,
                                  struct err *err) {
    c->other = other;
    (void)snprintf(c->against, sizeof c->against, "%s", name);
    return other && other != c->line ? add_comparison(out, s, c, err) : ERR_OK;
}

/* Of text: is a learned vector better than its own initial weights, and than examples? */
static enum err_code compare_text(struct comparisons *out, struct summary *s, struct comparison *c,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    char name[32];
    const struct summary_group *shots = summary_text_plain(s, c->line, "none");
    TRY(compare_with(out, s, c, summary_text_initial(s, c->line), "initial weights", err));
    if (!shots || line_pair_same_setting(shots, c->line)) goto cleanup;
    (void)snprintf(name, sizeof name, "plain %zu-shot", shots->ranges[0].first);
    TRY(compare_with(out, s, c, shots, name, err));
cleanup:
    return rc;
}

static enum err_code compare_line(struct comparisons *out, struct summary *s,
                                  const struct summary_group *g, size_t range, struct err *err) {
    enum err_code rc = ERR_OK;
    struct comparison c = {.line = g, .range = &g->ranges[range]};
    TRY(compare_with(out, s, &c, line_pair_find(s, g, "plain"), "plain", err));
    if (g->kind != SUMMARY_VECTOR) return ERR_OK;
    for (size_t i = 0; i < sizeof COMPARISON_AGAINST / sizeof *COMPARISON_AGAINST; i++)
        TRY(compare_with(out, s, &c, find_other(s, g, i, range), COMPARISON_AGAINST[i].method,
                         err));
    if (summary_is_text(g)) TRY(compare_text(out, s, &c, err));
cleanup:
    return rc;
}

/* Rows of one table need not follow each other: where a model lacks a line. */
static enum err_code adjust_table(struct comparisons *c, size_t first, double *p, struct err *err) {
    size_t n = 0;
    for (size_t i = first; i < c->n; i++)
        if (comparison_same_table(&c->list[first], &c->list[i]))
            p[n++] = c->list[i].tests.sign_flip;
    const enum err_code rc = holm_adjust(p, p, n, err);
    n = 0;
    for (size_t i = first; i < c->n; i++)
        if (comparison_same_table(&c->list[first], &c->list[i])) c->list[i].holm = p[n++];
    return rc;
}

static bool is_of_earlier_table(const struct comparisons *c, size_t at) {
    for (size_t i = 0; i < at; i++)
        if (comparison_same_table(&c->list[i], &c->list[at])) return true;
    return false;
}

enum err_code comparisons_adjust(struct comparisons *c, struct err *err) {
    enum err_code rc = ERR_OK;
    double *p = malloc((c->n + 1) * sizeof *p);
    CHECK(p, ERR_MEMORY, "no memory for %zu comparisons", c->n);
    for (size_t i = 0; i < c->n; i++)
        if (!is_of_earlier_table(c, i)) TRY(adjust_table(c, i, p, err));
cleanup:
    free(p);
    return rc;
}

/* One table: a setting, that of *of, and a range. */
static enum err_code compare_range(struct comparisons *out, struct summary *s,
                                   const struct summary_group *of, size_t range, struct err *err) {
    enum err_code rc = ERR_OK;
    for (int kind = SUMMARY_VECTOR; kind <= SUMMARY_CONTROL; kind++)
        for (size_t i = 0; i < s->n; i++) {
            const struct summary_group *g = &s->groups[i];
            if ((int)g->kind == kind && line_pair_same_setting(g, of))
                TRY(compare_line(out, s, g, range, err));
        }
cleanup:
    return rc;
}

static bool is_met(const struct summary *s, size_t line) {
    for (size_t i = 0; i < line; i++)
        if (line_pair_same_setting(&s->groups[i], &s->groups[line])) return true;
    return false;
}

/* The last k alone may be the whole range before it. */
static bool repeats_range(const struct summary_group *g, size_t range) {
    return range > 0 && g->ranges[range].first == g->ranges[range - 1].first &&
           g->ranges[range].last == g->ranges[range - 1].last;
}

enum err_code comparisons_make(struct comparisons *out, struct summary *s, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t i = 0; i < s->n; i++) {
        const struct summary_group *g = &s->groups[i];
        if (is_met(s, i)) continue;
        for (size_t k = 0; k < g->n_ranges; k++)
            if (!repeats_range(g, k)) TRY(compare_range(out, s, g, k, err));
    }
    TRY(comparisons_adjust(out, err));
cleanup:
    return rc;
}

void comparisons_release(struct comparisons *c) {
    free(c->list);
    sign_flips_release(&c->flips);
    *c = (struct comparisons){0};
}

bool comparison_same_table(const struct comparison *a, const struct comparison *b) {
    return a->models == b->models && a->range->first == b->range->first &&
           a->range->last == b->range->last && line_pair_same_setting(a->line, b->line);
}
