/*
 * A reference file of problems: the problem's own evaluate() is applied to the parameters and xs of
 * the file, and its values are compared with ys.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/verify/verify_estimators.h"
#include "run/verify/verify_file.h"
#include "run/verify/verify_shifts.h"
#include "sources/problems/problem.h"
#include "sources/problems/prompts.h"

/* The problem of a group of the file, and the datasets that describe a function. */
struct group {
    const char *group, *problem;
    const char *parameters[2]; /* concatenated, per function, in this order */
};

static const struct group GROUPS[] = {
    {"linear_regression", "linear", {"w"}},
    {"sparse_linear_regression", "sparse_linear", {"w"}},
    {"noisy_linear_regression", "noisy_linear", {"w"}},
    {"quadratic_regression", "quadratic", {"w"}},
    {"linear_classification", "linear_classification", {"w"}},
    {"relu_2nn_regression", "relu_net", {"W1", "W2"}},
    {"decision_tree", "decision_tree", {"split_coordinate", "node_value"}},
};

enum { GROUP_COUNT = sizeof GROUPS / sizeof GROUPS[0] };

struct reference { /* one group of the file */
    struct fixture_array xs, ys, parts[2];
    float *functions; /* [B, parameters] */
    size_t parameters;
};

static void reference_release(struct reference *ref) {
    fixture_array_release(&ref->xs);
    fixture_array_release(&ref->ys);
    for (size_t i = 0; i < 2; i++) fixture_array_release(&ref->parts[i]);
    free(ref->functions);
}

/* Concatenates the parts of each function: [B, parameters]. */
static enum err_code join_parts(struct reference *ref, const struct fixture *f,
                                const struct group *g, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t B = ref->xs.shape[0];
    size_t at = 0;
    for (size_t i = 0; i < 2 && g->parameters[i]; i++) {
        CHECK(ref->parts[i].rank > 0 && ref->parts[i].shape[0] == B, ERR_DATA,
              "%s: %s/%s: expected one entry for each of %zu functions", fixture_path(f), g->group,
              g->parameters[i], B);
        ref->parameters += ref->parts[i].n / B;
    }
    ref->functions = calloc(B * ref->parameters + 1, sizeof(float));
    CHECK(ref->functions, ERR_MEMORY, "%s: no memory for %zu functions", g->group, B);
    for (size_t i = 0; i < 2 && g->parameters[i]; i++) {
        const size_t each = ref->parts[i].n / B;
        for (size_t b = 0; b < B; b++)
            memcpy(ref->functions + b * ref->parameters + at, ref->parts[i].floats + b * each,
                   each * sizeof(float));
        at += each;
    }
cleanup:
    return rc;
}

static enum err_code read_group(struct reference *ref, const struct fixture *f,
                                const struct group *g, struct err *err) {
    enum err_code rc = ERR_OK;
    char name[128];
    (void)snprintf(name, sizeof name, "%s/xs", g->group);
    TRY(fixture_floats(&ref->xs, f, name, 3, err));
    (void)snprintf(name, sizeof name, "%s/ys", g->group);
    TRY(fixture_floats(&ref->ys, f, name, 2, err));
    CHECK(ref->xs.n > 0 && ref->ys.shape[0] == ref->xs.shape[0] &&
              ref->ys.shape[1] == ref->xs.shape[1],
          ERR_DATA, "%s: %s: xs and ys disagree in shape", fixture_path(f), g->group);
    for (size_t i = 0; i < 2 && g->parameters[i]; i++) {
        (void)snprintf(name, sizeof name, "%s/%s", g->group, g->parameters[i]);
        TRY(fixture_floats(&ref->parts[i], f, name, -1, err));
    }
    TRY(join_parts(ref, f, g, err));
cleanup:
    return rc;
}

/* Finds the problem's size (such as its width) from the number of parameters of a function. */
static enum err_code find_setup(struct problem_setup *setup, const struct reference *ref,
                                const struct fixture *f, const struct group *g, struct err *err) {
    *setup = (struct problem_setup){
        .problem = problem_find(g->problem), .dims = ref->xs.shape[2], .scale = 1};
    for (; setup->size <= 4096; setup->size++) {
        const size_t found = setup->problem->parameters(setup);
        if (found == ref->parameters) return ERR_OK;
        if (found > ref->parameters) break;
    }
    return ERR(err, ERR_DATA, "%s: %s: %zu numbers per function match no size of this problem",
               fixture_path(f), g->group, ref->parameters);
}

/* The split coordinates are indices into x, so they are checked before use. */
static enum err_code check_tree(const struct reference *ref, const struct fixture *f,
                                const struct group *g, struct err *err) {
    const struct fixture_array *splits = &ref->parts[0];
    const float dims = (float)ref->xs.shape[2];
    for (size_t i = 0; i < splits->n; i++)
        if (!(splits->floats[i] >= 0 && splits->floats[i] < dims))
            return ERR(err, ERR_DATA, "%s: %s/%s: entry %zu is %g, expected 0 to %g",
                       fixture_path(f), g->group, g->parameters[0], i, (double)splits->floats[i],
                       (double)dims - 1);
    return ERR_OK;
}

static enum err_code compare_values(struct verify_report *r, const struct reference *ref,
                                    const struct problem_setup *setup, const struct group *g,
                                    struct err *err) {
    char name[128];
    const size_t B = ref->xs.shape[0], P = ref->xs.shape[1], D = ref->xs.shape[2];
    float *ys = calloc(B * P, sizeof(float));
    if (!ys) return ERR(err, ERR_MEMORY, "%s: no memory for %zu values", g->group, B * P);
    for (size_t b = 0; b < B; b++)
        setup->problem->evaluate(ys + b * P, ref->functions + b * ref->parameters, setup,
                                 ref->xs.floats + b * P * D, P);
    (void)snprintf(name, sizeof name, "%s/ys", g->group);
    const enum err_code rc =
        verify_floats(r, "problems", name, ys, ref->ys.floats, B * P, TOLERANCE_PROBLEM, err);
    free(ys);
    return rc;
}

/* The file of noisy linear regression has no noise, so two things are compared: the renormalisation
 * of the stored noisy values, and the variance of the residuals of w.x, which should be 1
 * (sigma^2). */
static enum err_code compare_noisy(struct verify_report *r, const struct fixture *f,
                                   const struct reference *ref, const struct problem_setup *setup,
                                   const struct group *g, struct err *err) {
    enum err_code rc = ERR_OK;
    struct fixture_array before = {0};
    float *clean = NULL;
    const size_t B = ref->xs.shape[0], P = ref->xs.shape[1], D = ref->xs.shape[2];
    double square = 0;
    TRY(fixture_floats(&before, f, "noisy_linear_regression/ys_before_renormalisation", 2, err));
    CHECK(before.n == B * P, ERR_DATA, "%s: %s: ys and ys_before_renormalisation disagree",
          fixture_path(f), g->group);
    clean = calloc(P, sizeof(float));
    CHECK(clean, ERR_MEMORY, "%s: no memory for %zu values", g->group, P);
    for (size_t b = 0; b < B; b++) {
        setup->problem->evaluate(clean, ref->functions + b * ref->parameters, setup,
                                 ref->xs.floats + b * P * D, P);
        for (size_t i = 0; i < P; i++)
            square += pow((double)before.floats[b * P + i] - (double)clean[i], 2);
    }
    /* the mean of n squared standard normals has the standard deviation sqrt(2 / n) */
    TRY(verify_error(r, "problems", "noisy_linear_regression/noise variance",
                     fabs(square / (double)(B * P) - 1),
                     tolerance_bound(TOLERANCE_NOISE_VARIANCE, sqrt(2 / (double)(B * P))), err));
    prompts_renormalise(before.floats, B * P, D);
    TRY(verify_floats(r, "problems", "noisy_linear_regression/ys (renormalised)", before.floats,
                      ref->ys.floats, B * P, TOLERANCE_PROBLEM, err));
cleanup:
    free(clean);
    fixture_array_release(&before);
    return rc;
}

static enum err_code compare_group(struct verify_report *r, const struct fixture *f,
                                   const struct group *g, struct err *err) {
    enum err_code rc = ERR_OK;
    struct reference ref = {0};
    struct problem_setup setup;
    char baselines[128];
    TRY(read_group(&ref, f, g, err));
    TRY(find_setup(&setup, &ref, f, g, err));
    if (strcmp(g->problem, "decision_tree") == 0) TRY(check_tree(&ref, f, g, err));
    if (strcmp(g->problem, "noisy_linear") == 0)
        TRY(compare_noisy(r, f, &ref, &setup, g, err));
    else
        TRY(compare_values(r, &ref, &setup, g, err));
    (void)snprintf(baselines, sizeof baselines, "%s/baselines", g->group);
    if (fixture_has(f, baselines)) {
        const struct prompt_view prompts = {.n = ref.xs.shape[0],
                                            .points = ref.xs.shape[1],
                                            .dims = ref.xs.shape[2],
                                            .x = ref.xs.floats,
                                            .y = ref.ys.floats};
        TRY(verify_estimators(r, f, baselines, &prompts, err));
    }
cleanup:
    reference_release(&ref);
    return rc;
}

struct walk {
    struct verify_report *report;
    const struct fixture *file;
};

static enum err_code visit(void *context, const char *name, struct err *err) {
    const struct walk *w = context;
    for (size_t i = 0; i < GROUP_COUNT; i++)
        if (strcmp(GROUPS[i].group, name) == 0)
            return compare_group(w->report, w->file, &GROUPS[i], err);
    if (strcmp(name, "shift") == 0) return verify_shift_spectrum(w->report, w->file, err);
    return verify_skip(w->report, "problems", name, "unknown group", err);
}

enum err_code verify_problems(struct verify_report *r, const struct fixture *f, struct err *err) {
    struct walk w = {.report = r, .file = f};
    return fixture_members(f, "/", visit, &w, err);
}
