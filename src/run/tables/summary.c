#include "run/tables/summary.h"

#include <stdlib.h>
#include <string.h>

#include "model/checkpoint.h"
#include "passes/dummy_pairs.h"
#include "run/plan/varying_keys.h"
#include "run/tables/error_names.h"
#include "run/tables/summary_groups.h"
#include "run/tables/summary_text.h"
#include "stats/bootstrap.h"
#include "store/artifact.h"
#include "tensorfile/tensorfile.h"

/* ---- the numbers of one job */

/* Points of the prompts on which the model of a job was trained; 0: unknown. */
static size_t trained_points(const struct plan *p, size_t job) {
    const size_t model = plan_model(p, job);
    if (model != PLAN_NONE) return (size_t)config_int(p->jobs[model].point, "points");
    struct err ignored = {0};
    struct model_dims dims;
    size_t trained = 0;
    const char *path = plan_model_file(p, job);
    if (path && identity_files_trained(&trained, p->files, path)) return trained;
    if (!path || model_read_dims(&dims, &trained, path, &ignored) != ERR_OK) return 0;
    return trained;
}

static enum err_code read_numbers(float **out, struct summary_group *g,
                                  const struct tensorfile *file, const char *path,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    float *errors = NULL;
    const struct tensor_info *t = tensorfile_find(file, "errors");
    CHECK(t && t->rank == 2 && t->elements > 0, ERR_DATA,
          "%s: no tensor errors [functions, points]", path);
    g->functions = t->shape[0];
    g->points = t->shape[1];
    TRY(tensorfile_copy(&errors, file, t, err));
    *out = errors;
    errors = NULL;
cleanup:
    free(errors);
    return rc;
}

static enum err_code read_errors(float **out, struct summary_group *g, const char *path,
                                 int64_t shots, struct err *err) {
    enum err_code rc = ERR_OK;
    struct tensorfile *file = NULL;
    TRY(tensorfile_open(&file, path, err));
    if (tensorfile_find(file, "scores"))
        TRY(summary_text_read(out, g, file, shots, err));
    else
        TRY(read_numbers(out, g, file, path, err));
cleanup:
    tensorfile_close(file);
    return rc;
}

/* The cell `repeat` or `k` of the job's first row; 0: its stage has none. */
static int64_t cell_of(const struct run_state *r, size_t job, const char *name) {
    const struct job_columns *columns = plan_stage_columns(&r->plan, r->plan.jobs[job].stage);
    const struct history_job *past = r->jobs[job].past;
    const struct history_row *row = past->n_rows > 0 ? &past->rows[0] : NULL;
    const struct job_value *cell = row ? row_find_cell(columns, row->cells, row->n, name) : NULL;
    return cell && cell->type == JOB_INT ? cell->as.integer : 0;
}

/* Ranges of prompts of numbers. */
static void find_ranges(struct summary_group *g, const struct config_point *point, size_t trained) {
    const size_t dims = (size_t)config_int(point, "source.dims");
    g->n_ranges = error_ranges(g->ranges, dims, trained, g->points);
    g->has_trained = trained > 0;
    const size_t within = trained > 0 && trained < g->points ? trained : g->points;
    g->ranges[SUMMARY_TRAINED] = (struct error_range){0, within - 1, "trained"};
}

static void sum_ranges(struct summary_group *g, const float *errors) {
    for (size_t i = 0; i < SUMMARY_SUMS; i++) {
        struct error_range range = g->ranges[i];
        if (i >= g->n_ranges && (i != SUMMARY_TRAINED || summary_is_text(g))) continue;
        if (summary_is_text(g)) range.first = range.last = 0; /* the only column */
        error_range_add(g->errors + i * g->functions, errors, g->functions, g->points, &range);
    }
}

static enum err_code sum_errors(struct summary_group *g, const struct run_state *r, size_t job,
                                size_t trained, struct err *err) {
    enum err_code rc = ERR_OK;
    float *errors = NULL;
    char path[FILE_PATH_MAX];
    const struct planned_job *j = &r->plan.jobs[job];
    TRY(artifact_path(path, r->dir, j->identity, err));
    TRY(read_errors(&errors, g, path, cell_of(r, job, "k"), err));
    if (!summary_is_text(g)) find_ranges(g, j->point, trained);
    g->errors = calloc(SUMMARY_SUMS * g->functions, sizeof *g->errors);
    g->repeat = calloc(1, sizeof *g->repeat);
    CHECK(g->errors && g->repeat, ERR_MEMORY, "no memory for %zu functions", g->functions);
    sum_ranges(g, errors);
    g->repeats = 1;
    g->repeat[0] = cell_of(r, job, "repeat");
cleanup:
    free(errors);
    return rc;
}

/* ---- groups */

static void group_release(struct summary_group *g) {
    for (size_t i = 0; i < SUMMARY_KEYS; i++) text_release(&g->keys[i]);
    text_release(&g->setting);
    text_release(&g->fit);
    free(g->errors);
    free(g->repeat);
}

static bool has_equal_lines(const struct summary *s) {
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < i; k++)
            if (summary_same_line(s, &s->groups[i], &s->groups[k])) return true;
    return false;
}

static void add_of(struct summary *s) {
    text_add(&s->heads[s->n_keys++], "of");
    for (size_t i = 0; i < s->n; i++)
        text_add(&s->groups[i].keys[s->groups[i].n_keys++], "%s", s->groups[i].of);
}

/* Appends the one repeat of *g to *to. */
static enum err_code append_repeat(struct summary_group *to, const struct summary_group *g,
                                   struct err *err) {
    const size_t n = to->repeats, F = g->functions;
    int64_t *repeat = realloc(to->repeat, (n + 1) * sizeof *repeat);
    if (repeat) to->repeat = repeat;
    double *errors = malloc(SUMMARY_SUMS * (n + 1) * F * sizeof *errors);
    if (!repeat || !errors) {
        free(errors);
        return ERR(err, ERR_MEMORY, "no memory for %zu repeats of %zu functions", n + 1, F);
    }
    for (size_t i = 0; i < SUMMARY_SUMS; i++) {
        memcpy(errors + i * (n + 1) * F, to->errors + i * n * F, n * F * sizeof *errors);
        memcpy(errors + (i * (n + 1) + n) * F, g->errors + i * F, F * sizeof *errors);
    }
    free(to->errors);
    to->errors = errors;
    to->repeat[n] = g->repeat[0];
    to->repeats = n + 1;
    return ERR_OK;
}

/* Adds *g to the group of its repeats, or as a new group; *g belongs to the summary afterwards. */
static enum err_code group_add(struct summary *s, struct summary_group *g, struct err *err) {
    for (size_t i = 0; i < s->n; i++) {
        struct summary_group *known = &s->groups[i];
        if (!summary_same_group(s, known, g)) continue;
        const enum err_code rc = append_repeat(known, g, err);
        summary_add_chosen(known, s, g);
        group_release(g);
        return rc;
    }
    if (s->n == s->capacity) {
        const size_t capacity = s->capacity ? 2 * s->capacity : 32;
        struct summary_group *groups = realloc(s->groups, capacity * sizeof *groups);
        if (!groups) {
            group_release(g);
            return ERR(err, ERR_MEMORY, "no memory for %zu lines of a table", capacity);
        }
        s->groups = groups;
        s->capacity = capacity;
    }
    s->groups[s->n++] = *g;
    return ERR_OK;
}

/* Dummy pairs take positions that pairs of the prompt would have had. */
static size_t points_in_range(const struct config_point *point, size_t trained) {
    struct dummy_pairs dummies = {0};
    if (config_has(point, "dummies")) dummy_pairs_read(&dummies, point);
    return trained > dummies.n ? trained - dummies.n : trained;
}

static enum err_code add_job(struct summary *s, const struct run_state *r, size_t stage, size_t job,
                             const struct key_columns *axes, struct err *err) {
    enum err_code rc = ERR_OK;
    struct summary_group g = {0};
    const size_t trained = trained_points(&r->plan, job);
    if (trained > 0) s->trained = trained;
    summary_describe(&g, s, r, stage, job, axes);
    TRY(error_names_of_point(&g.error, r->plan.jobs[job].point, err));
    TRY(sum_errors(&g, r, job, points_in_range(r->plan.jobs[job].point, s->trained), err));
    TRY(text_check(&g.setting, err));
    TRY(text_check(&g.fit, err));
    return group_add(s, &g, err);
cleanup:
    group_release(&g);
    return rc;
}

static enum err_code add_if_done(struct summary *s, const struct run_state *r, size_t stage,
                                 size_t job, const struct key_columns *axes, struct err *err) {
    const struct run_state_job *known = &r->jobs[job];
    if (known->state == QUEUE_DONE && known->past->artifact)
        return add_job(s, r, stage, job, axes, err);
    s->missing++;
    return ERR_OK;
}

/* ---- estimators compared with evaluations */

/* Keys of source and shift: they decide which prompts are drawn. */
static bool is_of_prompts(const struct config_key *key) {
    return strncmp(key->name, "source.", 7) == 0 || strcmp(key->name, "shift") == 0 ||
           (key->when && strncmp(key->when, "shift=", 6) == 0);
}

/* All such keys of `a` have the same values in `b`. */
static bool has_source_of(const struct plan *p, const struct config_point *a,
                          const struct config_point *b) {
    struct text left = {0}, right = {0};
    bool same = true;
    for (size_t i = 0; same && i < config_point_size(a); i++) {
        const char *name = config_point_key(a, i)->name;
        if (!is_of_prompts(config_point_key(a, i))) continue;
        text_clear(&left), text_clear(&right);
        varying_keys_value(&left, p, a, name);
        varying_keys_value(&right, p, b, name);
        same = strcmp(text_str(&left), text_str(&right)) == 0;
    }
    text_release(&left);
    text_release(&right);
    return same;
}

/* Some job of the evaluation draws the same prompts as this one. */
static bool shares_source(const struct plan *p, size_t evaluate, size_t job) {
    for (size_t i = 0; i < p->stages[evaluate].n_jobs; i++) {
        const struct config_point *theirs = p->jobs[p->stages[evaluate].jobs[i]].point;
        if (has_source_of(p, p->jobs[job].point, theirs) &&
            has_source_of(p, theirs, p->jobs[job].point))
            return true;
    }
    return false;
}

static enum err_code add_estimates(struct summary *s, const struct run_state *r, size_t evaluate,
                                   const struct key_columns *axes, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t e = 0; e < r->plan.n_stages; e++) {
        const struct plan_stage *ps = &r->plan.stages[e];
        for (size_t i = 0; plan_stage_is(&r->plan, e, "estimate") && i < ps->n_jobs; i++)
            if (shares_source(&r->plan, evaluate, ps->jobs[i]))
                TRY(add_if_done(s, r, e, ps->jobs[i], axes, err));
    }
cleanup:
    return rc;
}

bool summary_is_joined(const struct plan *p, size_t stage) {
    for (size_t i = 0; i < p->stages[stage].n_jobs; i++) {
        bool found = false;
        for (size_t e = 0; e < p->n_stages; e++)
            found = found || (plan_stage_is(p, e, "evaluate") &&
                              shares_source(p, e, p->stages[stage].jobs[i]));
        if (!found) return false;
    }
    return true;
}

/* Two lines have different values of the key. */
static bool key_varies(const struct summary *s, size_t key) {
    const char *first = NULL;
    for (size_t i = 0; i < s->n; i++) {
        const char *value = text_str(&s->groups[i].keys[key]);
        if (strcmp(value, "-") == 0) continue;
        if (first && strcmp(first, value) != 0) return true;
        first = value;
    }
    return false;
}

/* Repeats of some line chose different values. */
static bool has_lists(const struct summary *s, size_t key) {
    for (size_t i = 0; i < s->n; i++)
        if (strchr(text_str(&s->groups[i].keys[key]), ',')) return true;
    return false;
}

enum err_code summary_make(struct summary *s, const struct run_state *r, size_t stage,
                           struct err *err) {
    enum err_code rc = ERR_OK;
    struct key_columns axes = {0};
    const struct plan_stage *ps = &r->plan.stages[stage];
    s->resampler = (struct resampler){.seed = 1, .resamples = SUMMARY_RESAMPLES};
    TRY(key_columns_of_summary(&axes, &r->plan, stage, err));
    summary_name_columns(s, &r->plan, stage, &axes);
    for (size_t i = 0; i < ps->n_jobs; i++) TRY(add_if_done(s, r, stage, ps->jobs[i], &axes, err));
    if (plan_stage_is(&r->plan, stage, "evaluate")) TRY(add_estimates(s, r, stage, &axes, err));
    if (has_equal_lines(s)) add_of(s);
    for (size_t k = 0; k < s->n_keys; k++) {
        s->varies[k] = key_varies(s, k);
        s->number[k] &= !s->of_choice[k] || !has_lists(s, k);
    }
cleanup:
    key_columns_release(&axes);
    return rc;
}

const double *summary_errors(const struct summary_group *g, size_t range) {
    return g->errors + range * g->repeats * g->functions;
}

enum err_code summary_interval(struct interval *out, struct summary *s,
                               const struct summary_group *g, size_t range, struct err *err) {
    enum err_code rc = ERR_OK;
    struct resamples resamples;
    *out = interval_t(summary_errors(g, range), g->functions, SUMMARY_CONFIDENCE);
    if (g->repeats == 1) return ERR_OK;
    TRY(resampler_get(&resamples, &s->resampler, g->repeats, g->functions, err));
    TRY(bootstrap_mean(out, summary_errors(g, range), &resamples, SUMMARY_CONFIDENCE, err));
cleanup:
    return rc;
}

void summary_release(struct summary *s) {
    for (size_t i = 0; i < s->n; i++) group_release(&s->groups[i]);
    for (size_t i = 0; i < SUMMARY_KEYS; i++) text_release(&s->heads[i]);
    free(s->groups);
    resampler_release(&s->resampler);
    *s = (struct summary){0};
}
