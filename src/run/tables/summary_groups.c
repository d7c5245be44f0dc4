#include "run/tables/summary_groups.h"

#include <string.h>

#include "methods/method.h"
#include "run/plan/varying_keys.h"

/* ---- key columns */

/* A cell of the first row of a job, by the name of its column; NULL: it has none. */
static const struct job_value *first_cell(const struct stage *kind, const struct history_job *past,
                                          const char *column) {
    const struct history_row *row = past->n_rows > 0 ? &past->rows[0] : NULL;
    return row ? row_find_cell(kind->columns, row->cells, row->n, column) : NULL;
}

/* "-" for "", 0 and none. */
static void row_text(struct text *out, const struct stage *kind, const struct history_job *past,
                     const char *column) {
    const struct job_value *cell = first_cell(kind, past, column);
    if (cell && cell->type == JOB_TEXT && cell->as.text[0])
        text_add(out, "%s", cell->as.text);
    else if (cell && cell->type == JOB_INT && cell->as.integer != 0 &&
             cell->as.integer != JOB_NO_INT)
        text_add(out, "%lld", (long long)cell->as.integer);
    else
        text_add(out, "-");
}

static const char *const FIXED[] = {"method", "reading", "fit_points"};
enum { N_FIXED = sizeof FIXED / sizeof *FIXED };

enum { AXES_MOST = SUMMARY_KEYS - N_FIXED - 1 }; /* the last column may become `of` */

static bool is_own(const struct key_column *k) { return k->own && !key_is_of_estimator(k->key); }

static void describe_fit(struct summary_group *g, const struct plan *p, size_t job) {
    const struct planned_job *j = &p->jobs[job];
    g->of = "-";
    for (size_t i = 0; i < j->n_parents; i++) {
        const struct planned_job *parent = &p->jobs[j->parents[i]];
        if (p->stages[parent->stage].kind->uses & STAGE_USES_SHAPE) continue; /* the model */
        const struct config_point *point = plan_read_point(p, j->parents[i]);
        const char *chosen = plan_chosen_key(p, j->parents[i]);
        g->of = p->stages[parent->stage].name;
        text_add(&g->fit, "choice of %s\n", chosen ? chosen : "-");
        for (size_t k = 0; k < config_point_size(point); k++) {
            const struct config_key *key = config_point_key(point, k);
            if ((key->flags & CONFIG_SILENT) || strcmp(key->name, "repeat") == 0) continue;
            if (plan_is_chosen(chosen, key)) continue;
            text_add(&g->fit, "%s=", key->name);
            config_point_value(&g->fit, point, k);
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

/* The text of a cell; "": it has none. */
static const char *text_cell(const struct stage *kind, const struct history_job *past,
                             const char *column) {
    const struct job_value *cell = first_cell(kind, past, column);
    return cell && cell->type == JOB_TEXT ? cell->as.text : "";
}

/* ---- what choices made */

static const char CHOSEN[] = "chosen."; /* before the key, in the head of its column */

/* The value that a choice which the job reads made of the key; "-": it reads none of this key. */
static void chosen_value(struct text *out, const struct run_state *r, size_t job, const char *key) {
    const struct planned_job *j = &r->plan.jobs[job];
    for (size_t i = 0; i < j->n_parents; i++) {
        const char *chosen = plan_chosen_key(&r->plan, j->parents[i]);
        const struct history_job *past = r->jobs[j->parents[i]].past;
        if (!chosen || strcmp(chosen, key) != 0 || !past || past->n_rows == 0) continue;
        const struct stage *kind = r->plan.stages[r->plan.jobs[j->parents[i]].stage].kind;
        const struct job_value *cell = first_cell(kind, past, "chosen");
        if (!cell) continue;
        text_add(out, "%s", cell->as.text);
        return;
    }
    text_add(out, "-");
}

static bool is_number(const struct config_point *point, const char *key) {
    for (size_t i = 0; i < config_point_size(point); i++) {
        const struct config_key *k = config_point_key(point, i);
        if (strcmp(k->name, key) == 0) return k->type == CONFIG_INT || k->type == CONFIG_FLOAT;
    }
    return false;
}

static void name_chosen(struct summary *s, const struct plan *p, size_t choice) {
    const char *key = plan_chosen_key(p, choice);
    if (!key || s->n_keys + 1 >= SUMMARY_KEYS) return; /* the last column may become `of` */
    for (size_t k = 0; k < s->n_keys; k++)
        if (s->of_choice[k] && strcmp(text_str(&s->heads[k]) + strlen(CHOSEN), key) == 0) return;
    const size_t at = s->n_keys++;
    text_add(&s->heads[at], "%s%s", CHOSEN, key);
    s->of_choice[at] = true;
    s->number[at] = is_number(plan_read_point(p, choice), key);
}

/* "0.1" is in "0.01, 0.1". */
static bool is_listed(const char *list, const char *value) {
    const size_t n = strlen(value);
    for (const char *at = list; at; at = strstr(at, ", ") ? strstr(at, ", ") + 2 : NULL)
        if (strncmp(at, value, n) == 0 && (at[n] == '\0' || at[n] == ',')) return true;
    return false;
}

void summary_add_chosen(struct summary_group *to, const struct summary *s,
                        const struct summary_group *repeat) {
    for (size_t k = 0; k < s->n_keys; k++)
        if (s->of_choice[k] && !is_listed(text_str(&to->keys[k]), text_str(&repeat->keys[k])))
            text_add(&to->keys[k], ", %s", text_str(&repeat->keys[k]));
}

void summary_describe(struct summary_group *g, const struct summary *s, const struct run_state *r,
                      size_t stage, size_t job, const struct key_columns *axes) {
    const struct plan *p = &r->plan;
    const size_t model = plan_model(p, job);
    g->n_keys = N_FIXED;
    for (size_t i = 0; i < N_FIXED; i++)
        row_text(&g->keys[i], p->stages[stage].kind, r->jobs[job].past, FIXED[i]);
    g->job = job;
    g->source = text_cell(p->stages[stage].kind, r->jobs[job].past, "source");
    g->shift = text_cell(p->stages[stage].kind, r->jobs[job].past, "shift");
    g->kind = kind_of(&p->stages[stage], text_str(&g->keys[0]));
    g->fitted = g->kind != SUMMARY_ESTIMATOR && !p->jobs[job].control;
    text_add(&g->setting, "%s\n%s\n%s", r->dir, p->stages[stage].name,
             model == PLAN_NONE ? "" : p->jobs[model].identity);
    for (size_t i = 0; i < axes->n && i < AXES_MOST; i++) {
        struct text *key = &g->keys[g->n_keys++];
        const struct config_point *point = key_column_point(p, job, &axes->list[i]);
        if (point)
            varying_keys_value(key, p, point, axes->list[i].key->name);
        else
            text_add(key, "-");
        if (is_own(&axes->list[i])) text_add(&g->setting, "\n%s", text_str(key));
    }
    for (; g->n_keys < s->n_keys; g->n_keys++)
        chosen_value(&g->keys[g->n_keys], r, job, text_str(&s->heads[g->n_keys]) + strlen(CHOSEN));
    describe_fit(g, p, job);
}

void summary_name_columns(struct summary *s, const struct plan *p, size_t stage,
                          const struct key_columns *axes) {
    for (size_t i = 0; i < N_FIXED; i++) text_add(&s->heads[i], "%s", FIXED[i]);
    s->n_keys = N_FIXED;
    for (size_t i = 0; i < axes->n && i < AXES_MOST; i++) {
        const struct key_column *k = &axes->list[i];
        const size_t at = s->n_keys++;
        text_add(&s->heads[at], "%s%s%s", k->own ? "" : k->kind->name, k->own ? "" : ".",
                 k->key->name);
        s->of_model[at] = (k->kind->uses & STAGE_USES_SHAPE) != 0;
        s->of_section[at] = is_own(k) || s->of_model[at];
        s->of_estimator[at] = key_is_of_estimator(k->key);
        s->number[at] = (k->key->type == CONFIG_INT || k->key->type == CONFIG_FLOAT) &&
                        !(k->key->flags & CONFIG_LIST);
    }
    for (size_t i = 0; i < p->stages[stage].n_jobs; i++) {
        const struct planned_job *job = &p->jobs[p->stages[stage].jobs[i]];
        for (size_t k = 0; k < job->n_parents; k++) name_chosen(s, p, job->parents[k]);
    }
}

/* ---- which jobs a line stands for */

bool summary_same_line(const struct summary *s, const struct summary_group *a,
                       const struct summary_group *b) {
    if (a->functions != b->functions || a->points != b->points ||
        strcmp(text_str(&a->setting), text_str(&b->setting)) != 0)
        return false;
    for (size_t i = 0; i < a->n_keys; i++)
        if (!s->of_choice[i] && strcmp(text_str(&a->keys[i]), text_str(&b->keys[i])) != 0)
            return false;
    return true;
}

bool summary_same_group(const struct summary *s, const struct summary_group *a,
                        const struct summary_group *b) {
    return summary_same_line(s, a, b) && strcmp(text_str(&a->fit), text_str(&b->fit)) == 0;
}
