#include "run/summary.h"

#include <stdlib.h>
#include <string.h>

#include "model/checkpoint.h"
#include "run/axes_used.h"
#include "stages/dummies.h"
#include "store/artifact.h"
#include "tensorfile/tensorfile.h"

/* ---- what a line is about */

/* A cell of the first row of an evaluation, by the name of its column; "-" when it says nothing. */
static void row_text(struct text *out, const struct stage *kind, const struct history_job *past,
                     const char *column) {
    for (size_t c = 0; c < kind->n_columns && past->n_rows > 0; c++) {
        if (strcmp(kind->columns[c].name, column) != 0 || c >= past->rows[0].n) continue;
        const struct job_value *cell = &past->rows[0].cells[c];
        if (cell->type == JOB_TEXT && cell->as.text[0])
            text_add(out, "%s", cell->as.text);
        else if (cell->type == JOB_INT && cell->as.integer != 0)
            text_add(out, "%lld", (long long)cell->as.integer);
    }
    if (out->size == 0) text_add(out, "-");
}

static const char *const FIXED[] = {"method", "reading", "fit_points"};
enum { N_FIXED = sizeof FIXED / sizeof *FIXED };

/* Axes that have a column of their own, or are averaged over. */
static bool is_shown(const char *key) {
    static const char *const shown[] = {"method", "ltv.reading", "points", "repeat",
                                        "model.wpe_seed"}; /* that of the evaluation */
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        if (strcmp(shown[i], key) == 0) return true;
    return false;
}

/* Estimators and their keys: columns method and reading say them. */
static bool is_of_estimator(const struct config_key *key) {
    return strcmp(key->name, "estimator") == 0 ||
           (key->when && strncmp(key->when, "estimator=", 10) == 0);
}

struct axis_column { /* an axis of this stage, or of the fits or models it reads */
    const char *key;
    size_t index; /* of the stage */
    int depth;    /* 0: its own point, 1: of what it reads, 2: of the model */
};

struct axis_columns {
    struct axis_column items[SUMMARY_KEYS];
    size_t n;
};

enum { AXES_MOST = SUMMARY_KEYS - N_FIXED - 1 }; /* the last column may become `of` */

static enum err_code collect_axes(struct axis_columns *out, const struct plan *p, size_t stage,
                                  int depth, struct err *err) {
    enum err_code rc = ERR_OK;
    struct axes_used used;
    TRY(axes_used(&used, p, stage, err));
    for (size_t i = 0; i < used.n && out->n < AXES_MOST; i++) {
        if (depth == 1 && is_shown(used.keys[i]->name)) continue;
        if (is_of_estimator(used.keys[i])) continue;
        out->items[out->n++] = (struct axis_column){used.keys[i]->name, stage, depth};
    }
    for (size_t i = 0; i < config_stage_of_count(p->config, stage); i++) {
        const size_t of = plan_find_stage(p, config_stage_of(p->config, stage, i));
        const bool model = (p->stages[of].kind->uses & STAGE_USES_SHAPE) != 0;
        TRY(collect_axes(out, p, of, model ? 2 : 1, err));
    }
cleanup:
    return rc;
}

/* A job that several stages ask for stands in the lists of all of them. */
static bool is_listed(const struct plan_stage *s, size_t job) {
    for (size_t i = 0; i < s->n_jobs; i++)
        if (s->jobs[i] == job) return true;
    return false;
}

/* The point of the job, or of one it reads, that lies in the axis' stage; NULL: none. */
static const struct config_point *axis_point(const struct plan *p, size_t job,
                                             const struct axis_column *axis) {
    const struct plan_job *j = &p->jobs[job];
    if (axis->depth == 0) return j->point;
    for (size_t i = 0; i < j->n_parents; i++) {
        const struct plan_job *parent = &p->jobs[j->parents[i]];
        if (parent->stage == axis->index || is_listed(&p->stages[axis->index], j->parents[i]))
            return parent->point;
    }
    return NULL;
}

static void describe_fit(struct summary_group *g, const struct plan *p, size_t job) {
    const struct plan_job *j = &p->jobs[job];
    g->of = "-";
    for (size_t i = 0; i < j->n_parents; i++) {
        const struct plan_job *parent = &p->jobs[j->parents[i]];
        if (p->stages[parent->stage].kind->uses & STAGE_USES_SHAPE) continue; /* the model */
        g->of = p->stages[parent->stage].name;
        for (size_t k = 0; k < config_point_size(parent->point); k++) {
            const struct config_key *key = config_point_key(parent->point, k);
            if ((key->flags & CONFIG_SILENT) || strcmp(key->name, "repeat") == 0) continue;
            text_add(&g->fit, "%s=", key->name);
            config_point_value(&g->fit, parent->point, k);
            text_add(&g->fit, "\n");
        }
    }
}

static bool is_kind(const struct plan *p, size_t stage, const char *kind) {
    return strcmp(p->stages[stage].kind->name, kind) == 0;
}

static void describe_group(struct summary_group *g, const struct record *r, size_t stage,
                           size_t job, const struct axis_columns *axes) {
    const struct plan *p = &r->plan;
    const size_t model = plan_model(p, job);
    g->estimator = is_kind(p, stage, "estimate");
    for (size_t i = 0; i < N_FIXED; i++)
        row_text(&g->keys[i], p->stages[stage].kind, r->jobs[job].past, FIXED[i]);
    text_add(&g->setting, "%s\n%s\n%s", r->dir, p->stages[stage].name,
             model == PLAN_NONE ? "" : p->jobs[model].identity);
    for (size_t i = 0; i < axes->n; i++) {
        struct text *key = &g->keys[N_FIXED + i];
        const struct config_point *point = axis_point(p, job, &axes->items[i]);
        if (point)
            axes_used_value(key, point, axes->items[i].key);
        else
            text_add(key, "-");
        if (axes->items[i].depth == 0) text_add(&g->setting, "\n%s", text_str(key));
    }
    g->n_keys = N_FIXED + axes->n;
    describe_fit(g, p, job);
}

static void name_columns(struct summary *s, const struct plan *p, const struct axis_columns *axes) {
    for (size_t i = 0; i < N_FIXED; i++) text_add(&s->heads[i], "%s", FIXED[i]);
    for (size_t i = 0; i < axes->n; i++) {
        struct text *head = &s->heads[N_FIXED + i];
        if (axes->items[i].depth == 0)
            text_add(head, "%s", axes->items[i].key);
        else
            text_add(head, "%s.%s", p->stages[axes->items[i].index].name, axes->items[i].key);
    }
    s->n_keys = N_FIXED + axes->n;
}

/* ---- the numbers of one evaluation */

size_t summary_trained_points(const struct plan *p, size_t job) {
    const size_t model = plan_model(p, job);
    if (model != PLAN_NONE) return (size_t)config_int(p->jobs[model].point, "points");
    struct err ignored = {0};
    struct model_dims dims;
    size_t trained = 0;
    const struct plan_job *j = &p->jobs[job];
    const struct plan_job *parent = j->n_parents ? &p->jobs[j->parents[0]] : j;
    const char *path = plan_text(parent->point, "model.checkpoint");
    if (!path) path = plan_text(j->point, "model.checkpoint");
    if (!path || model_read_dims(&dims, &trained, path, &ignored) != ERR_OK) return 0;
    return trained;
}

static enum err_code read_errors(float **out, struct summary_group *g, const char *path,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    struct tensorfile *file = NULL;
    float *errors = NULL;
    TRY(tensorfile_open(&file, path, err));
    const struct tensor_info *t = tensorfile_find(file, "errors");
    CHECK(t && t->rank == 2 && t->elements > 0, ERR_DATA,
          "%s: no tensor errors [functions, points]", path);
    g->functions = t->shape[0];
    g->points = t->shape[1];
    errors = malloc(t->elements * sizeof *errors);
    CHECK(errors, ERR_MEMORY, "no memory for %zu errors", t->elements);
    TRY(tensorfile_floats(errors, file, "errors", 2, t->shape, err));
    *out = errors;
    errors = NULL;
cleanup:
    free(errors);
    tensorfile_close(file);
    return rc;
}

static enum err_code sum_errors(struct summary_group *g, const struct record *r, size_t job,
                                size_t trained, struct err *err) {
    enum err_code rc = ERR_OK;
    float *errors = NULL;
    char path[FILE_PATH_MAX];
    const struct plan_job *j = &r->plan.jobs[job];
    TRY(artifact_path(path, r->dir, j->identity, err));
    TRY(read_errors(&errors, g, path, err));
    const size_t dims = (size_t)config_int(j->point, "source.dims");
    g->n_ranges = reduce_ranges(g->ranges, dims, trained, g->points);
    g->has_trained = trained > 0;
    const size_t within = trained > 0 && trained < g->points ? trained : g->points;
    g->ranges[SUMMARY_TRAINED] = (struct reduce_range){0, within - 1, "trained"};
    g->sums = calloc(SUMMARY_SUMS * g->functions, sizeof *g->sums);
    CHECK(g->sums, ERR_MEMORY, "no memory for %zu functions", g->functions);
    for (size_t i = 0; i < SUMMARY_SUMS; i++)
        if (i < g->n_ranges || i == SUMMARY_TRAINED)
            reduce_add(g->sums + i * g->functions, errors, g->functions, g->points, &g->ranges[i]);
    g->repeats = 1;
cleanup:
    free(errors);
    return rc;
}

/* ---- groups */

static void group_release(struct summary_group *g) {
    for (size_t i = 0; i < SUMMARY_KEYS; i++) text_release(&g->keys[i]);
    text_release(&g->setting);
    text_release(&g->fit);
    free(g->sums);
}

static bool same_line(const struct summary_group *a, const struct summary_group *b) {
    if (a->functions != b->functions || a->points != b->points ||
        strcmp(text_str(&a->setting), text_str(&b->setting)) != 0)
        return false;
    for (size_t i = 0; i < a->n_keys; i++)
        if (strcmp(text_str(&a->keys[i]), text_str(&b->keys[i])) != 0) return false;
    return true;
}

static bool same_group(const struct summary_group *a, const struct summary_group *b) {
    return same_line(a, b) && strcmp(text_str(&a->fit), text_str(&b->fit)) == 0;
}

static bool has_twins(const struct summary *s) {
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < i; k++)
            if (same_line(&s->groups[i], &s->groups[k])) return true;
    return false;
}

static void add_of(struct summary *s) {
    text_add(&s->heads[s->n_keys++], "of");
    for (size_t i = 0; i < s->n; i++)
        text_add(&s->groups[i].keys[s->groups[i].n_keys++], "%s", s->groups[i].of);
}

/* Takes over *g: into a group of its own, or into the one with the same keys. */
static enum err_code group_add(struct summary *s, struct summary_group *g, struct err *err) {
    for (size_t i = 0; i < s->n; i++) {
        struct summary_group *known = &s->groups[i];
        if (!same_group(known, g)) continue;
        for (size_t k = 0; k < SUMMARY_SUMS * g->functions; k++) known->sums[k] += g->sums[k];
        known->repeats++;
        group_release(g);
        return ERR_OK;
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

/* Dummies stand at positions that pairs of the prompt would have had. */
static size_t points_in_range(const struct config_point *point, size_t trained) {
    struct dummies dummies = {0};
    if (config_has(point, "dummies")) dummies_read(&dummies, point);
    return trained > dummies.n ? trained - dummies.n : trained;
}

static enum err_code add_job(struct summary *s, const struct record *r, size_t stage, size_t job,
                             const struct axis_columns *axes, struct err *err) {
    enum err_code rc = ERR_OK;
    struct summary_group g = {0};
    const size_t trained = summary_trained_points(&r->plan, job);
    if (trained > 0) s->trained = trained;
    describe_group(&g, r, stage, job, axes);
    TRY(sum_errors(&g, r, job, points_in_range(r->plan.jobs[job].point, s->trained), err));
    TRY(text_check(&g.setting, err));
    TRY(text_check(&g.fit, err));
    return group_add(s, &g, err);
cleanup:
    group_release(&g);
    return rc;
}

static enum err_code add_if_done(struct summary *s, const struct record *r, size_t stage,
                                 size_t job, const struct axis_columns *axes, struct err *err) {
    const struct record_job *known = &r->jobs[job];
    if (known->state == QUEUE_DONE && known->past->artifact)
        return add_job(s, r, stage, job, axes, err);
    s->missing++;
    return ERR_OK;
}

/* ---- estimators beside evaluations */

/* Keys of source and shift: what the prompts are drawn from. */
static bool is_of_prompts(const struct config_key *key) {
    return strncmp(key->name, "source.", 7) == 0 || strcmp(key->name, "shift") == 0 ||
           (key->when && strncmp(key->when, "shift=", 6) == 0);
}

/* Such keys in `a` have the same values in `b`. */
static bool has_source_of(const struct config_point *a, const struct config_point *b) {
    struct text left = {0}, right = {0};
    bool same = true;
    for (size_t i = 0; same && i < config_point_size(a); i++) {
        const char *name = config_point_key(a, i)->name;
        if (!is_of_prompts(config_point_key(a, i))) continue;
        text_clear(&left), text_clear(&right);
        axes_used_value(&left, a, name);
        axes_used_value(&right, b, name);
        same = strcmp(text_str(&left), text_str(&right)) == 0;
    }
    text_release(&left);
    text_release(&right);
    return same;
}

/* Some job of the evaluation has the source of this one. */
static bool shares_source(const struct plan *p, size_t evaluate, size_t job) {
    for (size_t i = 0; i < p->stages[evaluate].n_jobs; i++) {
        const struct config_point *theirs = p->jobs[p->stages[evaluate].jobs[i]].point;
        if (has_source_of(p->jobs[job].point, theirs) && has_source_of(theirs, p->jobs[job].point))
            return true;
    }
    return false;
}

static enum err_code add_estimates(struct summary *s, const struct record *r, size_t evaluate,
                                   const struct axis_columns *axes, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t e = 0; e < r->plan.n_stages; e++) {
        const struct plan_stage *ps = &r->plan.stages[e];
        for (size_t i = 0; is_kind(&r->plan, e, "estimate") && i < ps->n_jobs; i++)
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
            found = found ||
                    (is_kind(p, e, "evaluate") && shares_source(p, e, p->stages[stage].jobs[i]));
        if (!found) return false;
    }
    return true;
}

enum err_code summary_make(struct summary *s, const struct record *r, size_t stage,
                           struct err *err) {
    enum err_code rc = ERR_OK;
    struct axis_columns axes = {.n = 0};
    const struct plan_stage *ps = &r->plan.stages[stage];
    TRY(collect_axes(&axes, &r->plan, stage, 0, err));
    name_columns(s, &r->plan, &axes);
    for (size_t i = 0; i < ps->n_jobs; i++) TRY(add_if_done(s, r, stage, ps->jobs[i], &axes, err));
    if (is_kind(&r->plan, stage, "evaluate")) TRY(add_estimates(s, r, stage, &axes, err));
    if (has_twins(s)) add_of(s);
cleanup:
    return rc;
}

void summary_release(struct summary *s) {
    for (size_t i = 0; i < s->n; i++) group_release(&s->groups[i]);
    for (size_t i = 0; i < SUMMARY_KEYS; i++) text_release(&s->heads[i]);
    free(s->groups);
    *s = (struct summary){0};
}
