#include "run/verify/verify_estimators.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "estimators/cart.h"
#include "estimators/estimator.h"
#include "estimators/lasso.h"

struct baseline { /* one dataset of the group */
    struct verify_report *report;
    const struct fixture *file;
    const char *group, *name;
    char path[160];
    const struct prompt_view *prompts;
    struct fixture_array want; /* [n, points] */
    float *got;                /* [n, points] */
};

static struct estimator_prompt prompt_of(const struct prompt_view *v, size_t i, uint64_t seed) {
    const float *x = prompt_view_x(v, i, 0);
    return (struct estimator_prompt){.points = v->points,
                                     .dims = v->dims,
                                     .x = x,
                                     .y = v->y + i * v->points,
                                     .query = x,
                                     .seed = seed,
                                     .sample = i};
}

static enum err_code baseline_open(struct baseline *b, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = b->prompts->n * b->prompts->points;
    (void)snprintf(b->path, sizeof b->path, "%s/%s", b->group, b->name);
    TRY(fixture_floats(&b->want, b->file, b->path, 2, err));
    CHECK(b->want.n == n && b->want.shape[0] == b->prompts->n, ERR_DATA, "%s: %s: wrong shape",
          fixture_path(b->file), b->path);
    b->got = calloc(n, sizeof *b->got);
    CHECK(b->got, ERR_MEMORY, "no memory for %zu predictions", n);
cleanup:
    return rc;
}

/* ---- linear learners and neighbours */

static enum err_code predict_all(struct baseline *b, const struct estimator_setup *s,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    const struct prompt_view *v = b->prompts;
    void *state = malloc(estimator_state(s, v->points, v->dims) + 1);
    CHECK(state, ERR_MEMORY, "no memory for %s", s->estimator->name);
    for (size_t i = 0; i < v->n; i++) {
        const struct estimator_prompt p = prompt_of(v, i, 0);
        TRY(estimator_curve(b->got + i * v->points, s, &p, state, err));
    }
cleanup:
    free(state);
    return rc;
}

static enum err_code compare_predictions_of(struct baseline *b, const struct estimator_setup *s,
                                            enum tolerance tolerance, struct err *err) {
    enum err_code rc = predict_all(b, s, err);
    if (rc != ERR_OK) return rc;
    return verify_floats(b->report, "baselines", b->path, b->got, b->want.floats, b->want.n,
                         tolerance, err);
}

/* ---- the lasso, by its predictions and by what it minimises */

/* Largest excess of the objective over the stored one; a smaller objective is no error. */
static enum err_code objective_excess(double *excess, const struct baseline *b,
                                      const struct estimator_setup *s, const double *want,
                                      struct err *err) {
    enum err_code rc = ERR_OK;
    const struct prompt_view *v = b->prompts;
    void *state = malloc(estimator_state(s, v->points, v->dims));
    CHECK(state, ERR_MEMORY, "no memory for %s", s->estimator->name);
    *excess = 0;
    for (size_t i = 0; i < v->n; i++) {
        const struct estimator_prompt p = prompt_of(v, i, 0);
        for (size_t k = 1; k < v->points; k++) {
            double y;
            TRY(s->estimator->predict(&y, s, &p, k, state, err));
            const double over = lasso_objective(state) - want[i * v->points + k];
            if (!(over <= *excess)) *excess = isnan(over) ? (double)INFINITY : over;
        }
    }
cleanup:
    free(state);
    return rc;
}

static enum err_code compare_lasso(struct baseline *b, const char *alpha, struct err *err) {
    enum err_code rc = ERR_OK;
    struct estimator_setup s;
    struct fixture_array want = {0};
    char path[200], *end;
    double excess = 0;
    estimator_setup_named(&s, "lasso");
    s.weight = strtod(alpha, &end);
    CHECK(s.weight > 0 && !*end, ERR_DATA, "%s: %s: expected a positive alpha after lasso_",
          fixture_path(b->file), b->path);
    TRY(compare_predictions_of(b, &s, TOLERANCE_LASSO, err));
    (void)snprintf(path, sizeof path, "%s_objective", b->path);
    TRY(fixture_doubles(&want, b->file, path, 2, err));
    CHECK(want.n == b->want.n, ERR_DATA, "%s: %s: wrong shape", fixture_path(b->file), path);
    TRY(objective_excess(&excess, b, &s, want.doubles, err));
    TRY(verify_error(b->report, "baselines", path, excess,
                     tolerance_bound(TOLERANCE_LASSO_OBJECTIVE, 1), err));
cleanup:
    fixture_array_release(&want);
    return rc;
}

/* ---- trees */

enum { DRAWS = 100 }; /* of the random order that breaks ties */

struct tree {
    size_t depth;
    uint32_t *order, *dims; /* scratch */
    double untied;          /* largest error where no tie was met */
    double mean, square;    /* of the pooled squared error, over draws */
};

/* All predictions from k >= 1 examples for one draw; returns the sum of their squared errors. */
static double draw_tree(struct tree *t, const struct baseline *b, uint64_t seed) {
    const struct prompt_view *v = b->prompts;
    double sum = 0;
    for (size_t i = 0; i < v->n; i++) {
        const struct estimator_prompt p = prompt_of(v, i, seed);
        for (size_t k = 1; k < v->points; k++) {
            const size_t at = i * v->points + k;
            double y;
            bool tied;
            cart_leaf_mean(&y, &tied, &p, k, t->depth, t->order, t->dims);
            if (!tied) t->untied = fmax(t->untied, fabs(y - (double)b->want.floats[at]));
            sum += (y - (double)v->y[at]) * (y - (double)v->y[at]);
        }
    }
    return sum;
}

static double reference_error(const struct baseline *b) {
    const struct prompt_view *v = b->prompts;
    double sum = 0;
    for (size_t i = 0; i < v->n; i++)
        for (size_t k = 1; k < v->points; k++) {
            const size_t at = i * v->points + k;
            const double d = (double)b->want.floats[at] - (double)v->y[at];
            sum += d * d;
        }
    return sum;
}

static enum err_code compare_tree(struct baseline *b, size_t depth, struct err *err) {
    enum err_code rc = ERR_OK;
    char name[200];
    const struct prompt_view *v = b->prompts;
    uint32_t *order = calloc(v->points + v->dims, sizeof *order);
    CHECK(order, ERR_MEMORY, "no memory for a tree of %zu examples", v->points);
    struct tree t = {.depth = depth, .order = order, .dims = order + v->points};
    for (uint64_t seed = 1; seed <= DRAWS; seed++) {
        const double sum = draw_tree(&t, b, seed);
        t.mean += sum / DRAWS;
        t.square += sum * sum / DRAWS;
    }
    TRY(verify_error(b->report, "baselines", b->path, t.untied,
                     tolerance_of(TOLERANCE_TREE, b->want.floats, b->want.n), err));
    const double sd = sqrt(fmax(t.square - t.mean * t.mean, 0));
    (void)snprintf(name, sizeof name, "%s pooled error", b->path);
    TRY(verify_error(b->report, "baselines", name, fabs(reference_error(b) - t.mean),
                     tolerance_bound(TOLERANCE_TREE_POOLED, sd), err));
cleanup:
    free(order);
    return rc;
}

/* ---- the estimator of a dataset */

static enum err_code compare_one(struct baseline *b, struct err *err) {
    struct estimator_setup s;
    if (strncmp(b->name, "lasso_", 6) == 0) return compare_lasso(b, b->name + 6, err);
    if (strcmp(b->name, "cart_depth4") == 0) return compare_tree(b, 4, err);
    if (strcmp(b->name, "cart_full") == 0) return compare_tree(b, 0, err);
    if (strcmp(b->name, "knn3") == 0) {
        estimator_setup_named(&s, "knn");
        s.size = 3;
    } else if (strcmp(b->name, "least_squares") == 0 || strcmp(b->name, "averaging") == 0) {
        estimator_setup_named(&s, b->name);
    } else {
        return verify_skip(b->report, "baselines", b->path, "unknown estimator", err);
    }
    return compare_predictions_of(b, &s, TOLERANCE_ESTIMATOR, err);
}

static enum err_code visit(void *context, const char *name, struct err *err) {
    enum err_code rc = ERR_OK;
    struct baseline b = *(const struct baseline *)context;
    if (text_ends_with(name, "_objective")) return ERR_OK; /* compared with its lasso */
    b.name = name;
    TRY(baseline_open(&b, err));
    TRY(compare_one(&b, err));
cleanup:
    free(b.got);
    fixture_array_release(&b.want);
    return rc;
}

enum err_code verify_estimators(struct verify_report *r, const struct fixture *f, const char *group,
                                const struct prompt_view *prompts, struct err *err) {
    struct baseline b = {.report = r, .file = f, .group = group, .prompts = prompts};
    return fixture_members(f, group, visit, &b, err);
}
