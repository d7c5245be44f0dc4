#include "run/tables/answer_fit.h"

#include <stdlib.h>
#include <string.h>

#include "methods/method.h"
#include "run/plan/varying_keys.h"
#include "run/tables/summary_columns.h"

bool answer_fit_has(const struct key_column *column) {
    return !column->own && !(column->kind->uses & STAGE_USES_SHAPE);
}

/* The fit, or choice among fits, that a job reads; PLAN_NONE: it reads none. */
static size_t fit_read_by(const struct plan *p, size_t job) {
    const struct planned_job *j = &p->jobs[job];
    for (size_t i = 0; i < j->n_parents; i++)
        if (!(p->stages[p->jobs[j->parents[i]].stage].kind->uses & STAGE_USES_SHAPE))
            return j->parents[i];
    return PLAN_NONE;
}

/* The evaluations of one stage read fits of several. */
static bool reads_several(const struct plan *p, const struct plan_stage *s) {
    size_t first = PLAN_NONE;
    for (size_t i = 0; i < s->n_jobs; i++) {
        const size_t fit = fit_read_by(p, s->jobs[i]);
        if (fit == PLAN_NONE) continue;
        if (first == PLAN_NONE) first = p->jobs[fit].stage;
        if (p->jobs[fit].stage != first) return true;
    }
    return false;
}

/* ---- in which keys the fits of one method differ */

struct compared_fits {
    size_t stage; /* of the fits */
    const char *method;
    bool differ;
};

struct answer_fits_of_key {
    struct compared_fits *list;
    size_t n;
};

static const char *method_of(const struct config_point *point) {
    return config_has(point, "method") ? config_text(point, "method") : "";
}

/* Fits of the method of `fit`, in its stage, differ in the key of column i. Each answer is kept. */
static enum err_code tells_apart(bool *out, struct answer_fits *f, size_t i, size_t fit,
                                 struct err *err) {
    const struct plan *p = f->plan;
    const struct key_column *column = &f->keys->list[i];
    struct answer_fits_of_key *of = &f->of_keys[i];
    const size_t stage = p->jobs[fit].stage;
    const char *method = method_of(key_column_point(p, fit, column));
    for (size_t k = 0; k < of->n; k++) {
        *out = of->list[k].differ;
        if (of->list[k].stage == stage && strcmp(of->list[k].method, method) == 0) return ERR_OK;
    }
    struct compared_fits *list = realloc(of->list, (of->n + 1) * sizeof *list);
    if (!list) return ERR(err, ERR_MEMORY, "no memory for %zu methods", of->n + 1);
    of->list = list;
    *out = key_column_varies(column, p, p->stages[stage].jobs, p->stages[stage].n_jobs, method);
    list[of->n++] = (struct compared_fits){stage, method, *out};
    return ERR_OK;
}

enum err_code answer_fits_create(struct answer_fits *out, const struct plan *p, size_t stage,
                                 const struct key_columns *keys, struct err *err) {
    *out = (struct answer_fits){.plan = p, .keys = keys};
    out->several = reads_several(p, &p->stages[stage]);
    out->of_keys = calloc(keys->n + 1, sizeof *out->of_keys);
    return out->of_keys ? ERR_OK : ERR(err, ERR_MEMORY, "no memory for %zu columns", keys->n);
}

void answer_fits_destroy(struct answer_fits *f) {
    for (size_t i = 0; f->of_keys && i < f->keys->n; i++) free(f->of_keys[i].list);
    free(f->of_keys);
    *f = (struct answer_fits){0};
}

/* ---- a line */

/* The key is of the fit's source and needs no mention: the evaluated source has the same value, or
 * the control is defined to read a fit of another one (`mismatched`). */
static bool is_own_source(const struct key_column *column, const struct plan *p, size_t job,
                          const struct config_point *fit) {
    const char *key = column->key->name;
    const struct planned_job *j = &p->jobs[job];
    if (strncmp(key, "source.", 7) != 0 || !config_has(j->point, key)) return false;
    const struct method *control = j->control ? method_find(j->control) : NULL;
    if (control && control->control.next_function) return true;
    struct text of_fit = {0}, own = {0};
    varying_keys_value(&of_fit, p, fit, key);
    varying_keys_value(&own, p, j->point, key);
    const bool same = strcmp(text_str(&of_fit), text_str(&own)) == 0;
    text_release(&of_fit);
    text_release(&own);
    return same;
}

static enum err_code describe_fit_key(struct text *out, struct answer_fits *f, size_t i, size_t job,
                                      size_t fit, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct key_column *column = &f->keys->list[i];
    const char *key = column->key->name;
    const struct config_point *point = key_column_point(f->plan, job, column);
    bool differs = false;
    if (!answer_fit_has(column) || !point || !config_has(point, key)) return ERR_OK;
    if (is_own_source(column, f->plan, job, point)) return ERR_OK;
    TRY(tells_apart(&differs, f, i, fit, err));
    if (!differs) return ERR_OK;
    text_add(out, "%s%s=", out->size ? ", " : "", summary_columns_last_part(key));
    varying_keys_value(out, f->plan, point, key);
cleanup:
    return rc;
}

enum err_code answer_fit_describe(struct text *out, struct answer_fits *f, size_t job,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    const struct plan *p = f->plan;
    const size_t fit = fit_read_by(p, job);
    if (fit == PLAN_NONE) return ERR_OK;
    if (f->several) text_add(out, "%s", p->stages[p->jobs[fit].stage].name);
    for (size_t i = 0; i < f->keys->n; i++) TRY(describe_fit_key(out, f, i, job, fit, err));
cleanup:
    return rc;
}
