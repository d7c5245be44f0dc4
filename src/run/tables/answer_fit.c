#include "run/tables/answer_fit.h"

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
static bool reads_several(const struct plan *p, const struct plan_stage *s, size_t stage) {
    for (size_t i = 0; i < s->n_jobs; i++) {
        const size_t other = fit_read_by(p, s->jobs[i]);
        if (other != PLAN_NONE && p->jobs[other].stage != stage) return true;
    }
    return false;
}

static const char *method_of(const struct config_point *point) {
    return config_has(point, "method") ? config_text(point, "method") : "";
}

/* Fits of one method in the stage of `fit` have different values. */
static bool tells_apart(const struct key_column *column, const struct plan *p, size_t fit) {
    const struct plan_stage *s = &p->stages[p->jobs[fit].stage];
    const struct config_point *own = key_column_point(p, fit, column);
    struct text value[2] = {{0}, {0}};
    bool differs = false;
    varying_keys_value(&value[0], p, own, column->key->name);
    for (size_t i = 0; i < s->n_jobs && !differs; i++) {
        const struct config_point *other = key_column_point(p, s->jobs[i], column);
        if (!other || !config_has(other, column->key->name)) continue;
        if (strcmp(method_of(own), method_of(other)) != 0) continue;
        text_clear(&value[1]);
        varying_keys_value(&value[1], p, other, column->key->name);
        differs = strcmp(text_str(&value[0]), text_str(&value[1])) != 0;
    }
    text_release(&value[0]);
    text_release(&value[1]);
    return differs;
}

/* The task of a fit is worth a word where another one is evaluated, which `mismatched` does by its
 * nature. */
static bool is_own_task(const struct key_column *column, const struct config_point *fit,
                        const struct planned_job *job) {
    if (strcmp(column->key->name, "source.task") != 0 || !config_has(job->point, "source.task"))
        return false;
    const struct method *control = job->control ? method_find(job->control) : NULL;
    return (control && control->control.next_function) ||
           strcmp(config_text(fit, "source.task"), config_text(job->point, "source.task")) == 0;
}

void answer_fit_describe(struct text *out, const struct plan *p, size_t job,
                         const struct key_columns *keys) {
    const size_t fit = fit_read_by(p, job);
    if (fit == PLAN_NONE) return;
    const size_t stage = p->jobs[fit].stage;
    if (reads_several(p, &p->stages[p->jobs[job].stage], stage))
        text_add(out, "%s", p->stages[stage].name);
    for (size_t i = 0; i < keys->n; i++) {
        const struct key_column *column = &keys->list[i];
        const char *key = column->key->name;
        const struct config_point *point = key_column_point(p, job, column);
        if (!answer_fit_has(column) || !point || !config_has(point, key)) continue;
        if (is_own_task(column, point, &p->jobs[job]) || !tells_apart(column, p, fit)) continue;
        text_add(out, "%s%s=", out->size ? ", " : "", summary_columns_last_part(key));
        varying_keys_value(out, p, point, key);
    }
}
