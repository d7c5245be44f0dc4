#include "run/tables/line_pair.h"

#include <stdlib.h>
#include <string.h>

#include "run/tables/summary_text.h"

bool line_pair_same_setting(const struct summary_group *a, const struct summary_group *b) {
    return a->functions == b->functions && a->points == b->points &&
           strcmp(text_str(&a->setting), text_str(&b->setting)) == 0;
}

const struct summary_group *line_pair_find(const struct summary *s, const struct summary_group *g,
                                           const char *method) {
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(text_str(&s->groups[i].keys[0]), method) == 0 &&
            line_pair_same_setting(&s->groups[i], g))
            return &s->groups[i];
    return NULL;
}

/* [repeats, functions]; NULL: the line has no such range. Of text each line has one, whatever its
 * shots. */
static const double *errors_of(const struct summary_group *g, const struct error_range *range) {
    if (summary_is_text(g)) return summary_errors(g, 0);
    if (g->has_trained && strcmp(range->name, g->ranges[SUMMARY_TRAINED].name) == 0)
        return summary_errors(g, SUMMARY_TRAINED);
    for (size_t i = 0; i < g->n_ranges; i++)
        if (strcmp(g->ranges[i].name, range->name) == 0 && g->ranges[i].first == range->first &&
            g->ranges[i].last == range->last)
            return summary_errors(g, i);
    return NULL;
}

static bool reads_fit(const struct summary_group *g) { return strcmp(g->of, "-") != 0; }

/* The place of a repeat in the line; g->repeats: it has none. */
static size_t place_of(const struct summary_group *g, int64_t repeat) {
    for (size_t i = 0; i < g->repeats; i++)
        if (!reads_fit(g) || g->repeat[i] == repeat) return i;
    return g->repeats;
}

enum err_code line_pair_make(struct line_pair *out, bool *known, const struct summary_group *a,
                             const struct summary_group *b, const struct error_range *range,
                             struct err *err) {
    const size_t F = a->functions, size = F * sizeof(double);
    const struct summary_group *lead = reads_fit(a) ? a : b;
    const double *x = errors_of(a, range), *y = errors_of(b, range);
    *out = (struct line_pair){.functions = F};
    *known = false;
    if (!x || !y) return ERR_OK;
    out->a = malloc(2 * lead->repeats * size + 1);
    if (!out->a) return ERR(err, ERR_MEMORY, "no memory for %zu functions", F);
    out->b = out->a + lead->repeats * F;
    for (size_t i = 0; i < lead->repeats; i++) {
        const size_t in_a = place_of(a, lead->repeat[i]), in_b = place_of(b, lead->repeat[i]);
        if (in_a == a->repeats || in_b == b->repeats) continue;
        memcpy(out->a + out->seeds * F, x + in_a * F, size);
        memcpy(out->b + out->seeds++ * F, y + in_b * F, size);
    }
    *known = out->seeds > 0;
    return ERR_OK;
}

void line_pair_release(struct line_pair *p) {
    free(p->a);
    *p = (struct line_pair){0};
}
