#include "run/tables/summary_groups.h"

#include <string.h>

#include "methods/method.h"
#include "run/plan/varying_keys.h"

/* ---- key columns */

/* A cell of the first row of an evaluation, by the name of its column; "-" for "" and 0. */
static void row_text(struct text *out, const struct stage *kind, const struct history_job *past,
                     const char *column) {
    const struct history_row *row = past->n_rows > 0 ? &past->rows[0] : NULL;
    const struct job_value *cell =
        row ? row_find_cell(kind->columns, row->cells, row->n, column) : NULL;
    if (cell && cell->type == JOB_TEXT && cell->as.text[0])
        text_add(out, "%s", cell->as.text);
    else if (cell && cell->type == JOB_INT && cell->as.integer != 0)
        text_add(out, "%lld", (long long)cell->as.integer);
    else
        text_add(out, "-");
}

static const char *const FIXED[] = {"method", "reading", "fit_points"};
enum { N_FIXED = sizeof FIXED / sizeof *FIXED };

/* Axes of a fit that have a column of their own, or are averaged over. */
static bool is_shown(const char *key) {
    static const char *const shown[] = {"method", "ltv.reading", "points", "repeat",
                                        "model.wpe_seed"}; /* the evaluation's column shows it */
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        if (strcmp(shown[i], key) == 0) return true;
    return false;
}

/* Estimators and their keys: the columns method and reading show them. */
static bool is_of_estimator(const struct config_key *key) {
    return strcmp(key->name, "estimator") == 0 ||
           (key->when && strncmp(key->when, "estimator=", 10) == 0);
}

enum { AXES_MOST = SUMMARY_KEYS - N_FIXED - 1 }; /* the last column may become `of` */

static enum err_code collect_axes(struct summary_axes *out, const struct plan *p, size_t stage,
                                  int depth, struct err *err) {
    enum err_code rc = ERR_OK;
    struct varying_keys used;
    TRY(varying_keys(&used, p, stage, err));
    for (size_t i = 0; i < used.n && out->n < AXES_MOST; i++) {
        if (depth == 1 && is_shown(used.keys[i]->name)) continue;
        if (is_of_estimator(used.keys[i])) continue;
        out->items[out->n++] = (struct summary_axis){used.keys[i]->name, stage, depth};
    }
    for (size_t i = 0; i < config_stage_of_count(p->config, stage); i++) {
        const size_t of = plan_find_stage(p, config_stage_of(p->config, stage, i));
        const bool model = (p->stages[of].kind->uses & STAGE_USES_SHAPE) != 0;
        TRY(collect_axes(out, p, of, model ? 2 : 1, err));
    }
cleanup:
    return rc;
}

enum err_code summary_axes(struct summary_axes *out, const struct plan *p, size_t stage,
                           struct err *err) {
    *out = (struct summary_axes){.n = 0};
    return collect_axes(out, p, stage, 0, err);
}

/* A job that several stages plan is in the lists of all of them. */
static bool is_listed(const struct plan_stage *s, size_t job) {
    for (size_t i = 0; i < s->n_jobs; i++)
        if (s->jobs[i] == job) return true;
    return false;
}

/* The point of the job, or of a parent in the axis' stage; NULL: it has none there. */
static const struct config_point *axis_point(const struct plan *p, size_t job,
                                             const struct summary_axis *axis) {
    const struct planned_job *j = &p->jobs[job];
    if (axis->depth == 0) return j->point;
    for (size_t i = 0; i < j->n_parents; i++) {
        const struct planned_job *parent = &p->jobs[j->parents[i]];
        if (parent->stage == axis->index || is_listed(&p->stages[axis->index], j->parents[i]))
            return parent->point;
    }
    return NULL;
}

static void describe_fit(struct summary_group *g, const struct plan *p, size_t job) {
    const struct planned_job *j = &p->jobs[job];
    g->of = "-";
    for (size_t i = 0; i < j->n_parents; i++) {
        const struct planned_job *parent = &p->jobs[j->parents[i]];
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

static enum summary_kind kind_of(const struct plan_stage *stage, const char *name) {
    if (strcmp(stage->kind->name, "estimate") == 0) return SUMMARY_ESTIMATOR;
    if (strcmp(name, "plain") == 0) return SUMMARY_BASELINE;
    const struct method *method = method_find(name);
    return method && method->docs.control ? SUMMARY_CONTROL : SUMMARY_VECTOR;
}

void summary_describe(struct summary_group *g, const struct run_state *r, size_t stage, size_t job,
                      const struct summary_axes *axes) {
    const struct plan *p = &r->plan;
    const size_t model = plan_model(p, job);
    for (size_t i = 0; i < N_FIXED; i++)
        row_text(&g->keys[i], p->stages[stage].kind, r->jobs[job].past, FIXED[i]);
    g->kind = kind_of(&p->stages[stage], text_str(&g->keys[0]));
    g->fitted = g->kind != SUMMARY_ESTIMATOR && !p->jobs[job].control;
    text_add(&g->setting, "%s\n%s\n%s", r->dir, p->stages[stage].name,
             model == PLAN_NONE ? "" : p->jobs[model].identity);
    for (size_t i = 0; i < axes->n; i++) {
        struct text *key = &g->keys[N_FIXED + i];
        const struct config_point *point = axis_point(p, job, &axes->items[i]);
        if (point)
            varying_keys_value(key, point, axes->items[i].key);
        else
            text_add(key, "-");
        if (axes->items[i].depth == 0) text_add(&g->setting, "\n%s", text_str(key));
    }
    g->n_keys = N_FIXED + axes->n;
    describe_fit(g, p, job);
}

void summary_name_columns(struct summary *s, const struct plan *p,
                          const struct summary_axes *axes) {
    for (size_t i = 0; i < N_FIXED; i++) text_add(&s->heads[i], "%s", FIXED[i]);
    for (size_t i = 0; i < axes->n; i++) {
        struct text *head = &s->heads[N_FIXED + i];
        s->of_section[N_FIXED + i] = axes->items[i].depth != 1;
        if (axes->items[i].depth == 0)
            text_add(head, "%s", axes->items[i].key);
        else
            text_add(head, "%s.%s", p->stages[axes->items[i].index].name, axes->items[i].key);
    }
    s->n_keys = N_FIXED + axes->n;
}

/* ---- which jobs a line stands for */

bool summary_same_line(const struct summary_group *a, const struct summary_group *b) {
    if (a->functions != b->functions || a->points != b->points ||
        strcmp(text_str(&a->setting), text_str(&b->setting)) != 0)
        return false;
    for (size_t i = 0; i < a->n_keys; i++)
        if (strcmp(text_str(&a->keys[i]), text_str(&b->keys[i])) != 0) return false;
    return true;
}

bool summary_same_group(const struct summary_group *a, const struct summary_group *b) {
    return summary_same_line(a, b) && strcmp(text_str(&a->fit), text_str(&b->fit)) == 0;
}
