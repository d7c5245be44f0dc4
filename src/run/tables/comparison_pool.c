#include "run/tables/comparison_pool.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "run/tables/line_pair.h"
#include "run/tables/model_recipe.h"
#include "stats/bootstrap.h"

struct member { /* a comparison of one model */
    struct comparison_source *source;
    const struct comparison *of; /* a copy: the lists of the sources grow */
    uint64_t key;                /* hash of all that must be equal; 0: its model is unknown */
    const char *model;
};

struct members {
    struct member *list;
    struct comparison *copies;
    size_t n;
};

/* ---- which comparisons belong together */

static const struct comparison *next_of(const struct members *m) {
    return m->n > 0 ? m->list[m->n - 1].of : NULL;
}

/* Everything but the model's seed that decides the numbers of the line. */
static void describe_line(struct text *out, const struct comparison_source *s,
                          const struct summary_group *g) {
    const struct plan *p = &s->run->plan;
    model_recipe_read(out, p, g->job);
    if (out->size == 0) return;
    text_add(out, "\n%llu\n%s\n%s\n%s\n", (unsigned long long)config_seed(p->config), g->source,
             text_str(&g->keys[0]), text_str(&g->keys[1]));
    config_point_identity(out, p->jobs[g->job].point);
    for (const char *at = text_str(&g->fit); *at;) { /* "KEY=VALUE", a line each */
        const size_t n = strcspn(at, "\n");
        if (strncmp(at, "model.checkpoint=", 17) != 0) text_add(out, "%.*s\n", (int)n, at);
        at += n + (at[n] == '\n');
    }
}

/* Comparisons of one line follow each other mostly, and share their key. */
static enum err_code add_member(struct members *m, struct comparison_source *s,
                                const struct comparison *c, struct text *scratch, struct err *err) {
    const struct comparison *last = next_of(m);
    struct member *member = &m->list[m->n];
    m->copies[m->n] = *c;
    *member = (struct member){s, &m->copies[m->n], 0, model_recipe_id(&s->run->plan, c->line->job)};
    if (last && last->line == c->line) {
        member->key = m->list[m->n - 1].key;
    } else {
        describe_line(scratch, s, c->line);
        if (text_check(scratch, err) != ERR_OK) return ERR_MEMORY;
        member->key = scratch->size ? hash_name(text_str(scratch)) : 0;
    }
    m->n++;
    return ERR_OK;
}

static enum err_code collect_members(struct members *m, const struct comparison_set *set,
                                     struct err *err) {
    enum err_code rc = ERR_OK;
    struct text scratch = {0};
    size_t total = 0;
    for (size_t i = 0; i < set->n; i++) total += set->list[i]->comparisons.n;
    m->list = calloc(total + 1, sizeof *m->list);
    m->copies = calloc(total + 1, sizeof *m->copies);
    CHECK(m->list && m->copies, ERR_MEMORY, "no memory for %zu comparisons", total);
    for (size_t i = 0; i < set->n; i++)
        for (size_t k = 0; k < set->list[i]->comparisons.n; k++)
            TRY(add_member(m, set->list[i], &set->list[i]->comparisons.list[k], &scratch, err));
cleanup:
    text_release(&scratch);
    return rc;
}

static void members_release(struct members *m) {
    free(m->list);
    free(m->copies);
}

static bool belong_together(const struct member *a, const struct member *b) {
    return a->key && a->key == b->key && a->model && b->model &&
           a->of->line->functions == b->of->line->functions &&
           a->of->range->first == b->of->range->first && a->of->range->last == b->of->range->last &&
           strcmp(a->of->against, b->of->against) == 0;
}

static bool has_model(const struct member *const *found, size_t n, const char *model) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(found[i]->model, model) == 0) return true;
    return false;
}

/* The comparison of list[first] and those of other models; found: [m->n]. */
static size_t find_models(const struct member **found, const struct members *m, size_t first) {
    size_t n = 0;
    found[n++] = &m->list[first];
    for (size_t i = first + 1; i < m->n; i++)
        if (belong_together(&m->list[first], &m->list[i]) && !has_model(found, n, m->list[i].model))
            found[n++] = &m->list[i];
    return n;
}

/* An earlier comparison has it with it. */
static bool is_in_earlier(const struct members *m, size_t at) {
    for (size_t i = 0; i < at; i++)
        if (belong_together(&m->list[i], &m->list[at])) return true;
    return false;
}

static bool has_several_models(const struct members *m) {
    const char *first = NULL;
    for (size_t i = 0; i < m->n; i++) {
        const char *model = m->list[i].key ? m->list[i].model : NULL;
        if (first && model && strcmp(first, model) != 0) return true;
        if (model) first = model;
    }
    return false;
}

/* ---- the numbers of several models */

/* [models, functions] each, means over repeats; oracle NaN where a model has none. */
struct pooled {
    struct line_pair pair;
    double *oracle; /* owned */
};

static void average_repeats(double *out, const double *x, size_t repeats, size_t functions) {
    for (size_t f = 0; f < functions; f++) {
        double sum = 0.0;
        for (size_t s = 0; s < repeats; s++) sum += x[s * functions + f];
        out[f] = sum / (double)repeats;
    }
}

static enum err_code add_model(struct pooled *p, size_t at, const struct member *m,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t F = p->pair.functions;
    const struct summary_group *g = m->of->line,
                               *oracle = line_pair_find(&m->source->summary, g, "oracle");
    struct line_pair pair = {0}, of_oracle = {0};
    bool known;
    TRY(line_pair_make(&pair, &known, g, m->of->other, m->of->range, err));
    average_repeats(p->pair.a + at * F, pair.a, pair.seeds, F);
    average_repeats(p->pair.b + at * F, pair.b, pair.seeds, F);
    for (size_t f = 0; f < F; f++) p->oracle[at * F + f] = nan("");
    if (!oracle || oracle == g) goto cleanup;
    TRY(line_pair_make(&of_oracle, &known, g, oracle, m->of->range, err));
    if (known) average_repeats(p->oracle + at * F, of_oracle.b, of_oracle.seeds, F);
cleanup:
    line_pair_release(&pair);
    line_pair_release(&of_oracle);
    return rc;
}

static enum err_code pool_recovered(struct comparison *c, const struct pooled *p, struct summary *s,
                                    struct err *err) {
    enum err_code rc = ERR_OK;
    struct resamples resamples;
    struct interval loss;
    bool known;
    TRY(resampler_get(&resamples, &s->resampler, p->pair.seeds, p->pair.functions, err));
    TRY(bootstrap_recovered(&c->recovered, &loss, &known, p->pair.b, p->pair.a, p->oracle,
                            &resamples, SUMMARY_CONFIDENCE, err));
cleanup:
    return rc;
}

static enum err_code pool_models(const struct member *const *found, size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    struct comparison_source *s = found[0]->source;
    struct comparison c = *found[0]->of;
    const size_t F = c.line->functions;
    struct pooled p = {.pair = {.seeds = n, .functions = F}};
    p.pair.a = malloc(2 * n * F * sizeof *p.pair.a);
    p.oracle = malloc(n * F * sizeof *p.oracle);
    CHECK(p.pair.a && p.oracle, ERR_MEMORY, "no memory for %zu models", n);
    p.pair.b = p.pair.a + n * F;
    for (size_t i = 0; i < n; i++) TRY(add_model(&p, i, found[i], err));
    c.models = n;
    if (comparison_has_recovered(&c)) TRY(pool_recovered(&c, &p, &s->summary, err));
    TRY(comparison_measure(&c, &p.pair, &s->summary, &s->comparisons.flips, err));
    TRY(comparisons_append(&s->comparisons, &c, err));
cleanup:
    free(p.oracle);
    line_pair_release(&p.pair);
    return rc;
}

enum err_code comparison_pool(struct comparison_set *set, struct err *err) {
    enum err_code rc = ERR_OK;
    struct members m = {0};
    const struct member **found = NULL;
    TRY(collect_members(&m, set, err));
    if (!has_several_models(&m)) goto cleanup;
    found = calloc(m.n, sizeof *found);
    CHECK(found, ERR_MEMORY, "no memory for %zu comparisons", m.n);
    for (size_t i = 0; i < m.n; i++) {
        if (is_in_earlier(&m, i)) continue;
        const size_t models = find_models(found, &m, i);
        if (models > 1) TRY(pool_models(found, models, err));
    }
    for (size_t i = 0; i < set->n; i++) TRY(comparisons_adjust(&set->list[i]->comparisons, err));
cleanup:
    free(found);
    members_release(&m);
    return rc;
}
