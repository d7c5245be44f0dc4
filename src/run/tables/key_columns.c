#include "run/tables/key_columns.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/plan/plan_choices.h"
#include "run/plan/varying_keys.h"

/* ---- which keys vary */

struct candidate { /* a key that some job has, and the first value met */
    const struct config_key *key;
    char *value; /* owned */
    bool varies;
};

struct candidates {
    struct candidate *list;
    size_t n, capacity;
};

static void candidates_release(struct candidates *c) {
    for (size_t i = 0; i < c->n; i++) free(c->list[i].value);
    free(c->list);
}

/* Keys are in the same order in all points, so that the one wanted is mostly at `hint`. */
static struct candidate *find_candidate(struct candidates *c, const struct config_key *key,
                                        size_t hint) {
    if (hint < c->n && strcmp(c->list[hint].key->name, key->name) == 0) return &c->list[hint];
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->list[i].key->name, key->name) == 0) return &c->list[i];
    return NULL;
}

static enum err_code add_candidate(struct candidates *c, const struct config_key *key,
                                   const char *value, struct err *err) {
    if (c->n == c->capacity) {
        const size_t capacity = c->capacity ? 2 * c->capacity : 64;
        struct candidate *list = realloc(c->list, capacity * sizeof *list);
        if (!list) return ERR(err, ERR_MEMORY, "no memory for %zu keys", capacity);
        c->list = list;
        c->capacity = capacity;
    }
    char *copy = text_copy(value);
    if (!copy) return ERR(err, ERR_MEMORY, "no memory for the value of a key");
    c->list[c->n++] = (struct candidate){key, copy, false};
    return ERR_OK;
}

/* Lists that are no axis, as `also`, choose jobs and tell none apart. */
static bool may_vary(const struct config_key *key) {
    if (key->flags & CONFIG_SILENT) return false;
    return (key->flags & CONFIG_AXIS) || !(key->flags & CONFIG_LIST);
}

static enum err_code look_at(struct candidates *c, struct text *value,
                             const struct config_point *point, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = config_point_size(point);
    for (size_t i = 0; i < n; i++) {
        const struct config_key *key = config_point_key(point, i);
        struct candidate *known = find_candidate(c, key, i);
        if (!may_vary(key) || (known && known->varies)) continue;
        text_clear(value);
        config_point_value(value, point, i);
        if (!known)
            TRY(add_candidate(c, key, text_str(value), err));
        else
            known->varies = strcmp(known->value, text_str(value)) != 0;
    }
    TRY(text_check(value, err));
cleanup:
    return rc;
}

static enum err_code add_column(struct key_columns *out, const struct config_key *key,
                                const struct stage *kind, bool own, struct err *err) {
    struct key_column *list = realloc(out->list, (out->n + 1) * sizeof *list);
    if (!list) return ERR(err, ERR_MEMORY, "no memory for %zu columns", out->n + 1);
    out->list = list;
    struct key_column *column = &list[out->n++];
    *column = (struct key_column){.key = key, .kind = kind, .own = own};
    (void)snprintf(column->name, sizeof column->name, "%s%s%s", own ? "" : kind->name,
                   own ? "" : "_", key->name);
    for (char *at = column->name; *at; at++)
        if (*at == '.') *at = '_'; /* PyTables and pandas.eval() want identifiers */
    return ERR_OK;
}

typedef bool (*is_shown_fn)(const struct stage *kind, const struct config_key *key);

static enum err_code add_varying(struct key_columns *out, const struct plan *p,
                                 const struct stage *kind, bool own, is_shown_fn is_shown,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    struct candidates c = {0};
    struct text value = {0};
    const struct config_point *last = NULL; /* jobs of `also` share their point */
    for (size_t j = 0; j < p->n_jobs; j++) {
        if (p->stages[p->jobs[j].stage].kind != kind || p->jobs[j].point == last) continue;
        last = p->jobs[j].point;
        TRY(look_at(&c, &value, last, err));
    }
    for (size_t i = 0; i < c.n; i++)
        if (c.list[i].varies && !is_shown(kind, c.list[i].key))
            TRY(add_column(out, c.list[i].key, kind, own, err));
cleanup:
    candidates_release(&c);
    text_release(&value);
    return rc;
}

/* ---- what the columns of a table show in any case */

static bool is_shown_by(const struct job_columns *columns, const struct config_key *key) {
    static const char *const names[][2] = {/* a key, and the column that shows it */
                                           {"ltv.reading", "reading"},
                                           {"estimator", "method"},
                                           {"source.problem", "source"},
                                           {"model.wpe_seed", "wpe_seed"}};
    for (size_t i = 0; i < columns->n; i++) {
        const char *column = columns->list[i].name;
        if (strcmp(column, key->name) == 0) return true;
        for (size_t k = 0; k < sizeof names / sizeof *names; k++)
            if (strcmp(names[k][0], key->name) == 0 && strcmp(names[k][1], column) == 0)
                return true;
    }
    return false;
}

static bool is_shown_in_own(const struct stage *kind, const struct config_key *key) {
    return is_shown_by(kind->columns, key) ||
           (kind->text_columns && is_shown_by(kind->text_columns, key));
}

/* Keys of fits that tables of evaluations have columns for. */
static bool is_shown_of_read(const struct stage *kind, const struct config_key *key) {
    static const char *const names[] = {"method", "ltv.reading", "points", "repeat",
                                        "model.wpe_seed"};
    if (kind->uses & STAGE_USES_SHAPE) return false; /* of pretrainings they have none */
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], key->name) == 0) return true;
    return false;
}

static bool is_shown_of_candidates(const struct stage *kind, const struct config_key *key) {
    static const char *const names[] = {"method", "points", "repeat", "source.problem"};
    if (kind->uses & STAGE_USES_SHAPE) return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], key->name) == 0) return true;
    return false;
}

bool key_is_of_estimator(const struct config_key *key) {
    return key->when && strncmp(key->when, "estimator=", 10) == 0;
}

static bool is_shown_as_method(const struct stage *kind, const struct config_key *key) {
    (void)kind;
    return strcmp(key->name, "estimator") == 0;
}

static bool is_not_of_estimator(const struct stage *kind, const struct config_key *key) {
    (void)kind;
    return !key_is_of_estimator(key);
}

static bool is_shown_never(const struct stage *kind, const struct config_key *key) {
    (void)kind;
    (void)key;
    return false;
}

/* ---- the keys of a table */

static bool is_known_kind(const struct stage *const *kinds, size_t n, const struct stage *kind) {
    for (size_t i = 0; i < n; i++)
        if (kinds[i] == kind) return true;
    return false;
}

/* The job itself, or the first candidate of a choice, which stands for all of them. */
static const struct planned_job *read_job(const struct plan *p, size_t job) {
    return &p->jobs[plan_chosen_key(p, job) ? p->jobs[job].parents[0] : job];
}

enum { KINDS_MOST = 16 };

/* The kinds of the jobs that the stage's jobs read. */
static size_t find_kinds(const struct stage *kinds[KINDS_MOST], const struct plan *p,
                         size_t stage) {
    const struct plan_stage *s = &p->stages[stage];
    size_t n = 0;
    for (size_t i = 0; i < s->n_jobs; i++) {
        const struct planned_job *job = &p->jobs[s->jobs[i]];
        for (size_t k = 0; k < job->n_parents && n < KINDS_MOST; k++) {
            const struct stage *kind = p->stages[read_job(p, job->parents[k])->stage].kind;
            if (kind != s->kind && !is_known_kind(kinds, n, kind)) kinds[n++] = kind;
        }
    }
    return n;
}

static bool job_has(const struct plan *p, size_t job, const struct key_column *column) {
    const struct config_point *point = key_column_point(p, job, column);
    return point && config_has(point, column->key->name);
}

/* Drops the columns from `first` on that no job of the stage has, because choices decide them. */
static void drop_chosen(struct key_columns *out, size_t first, const struct plan *p,
                        const struct plan_stage *s) {
    size_t n = first;
    for (size_t k = first; k < out->n; k++) {
        size_t have = 0;
        for (size_t i = 0; i < s->n_jobs && have == 0; i++)
            have += job_has(p, s->jobs[i], &out->list[k]);
        if (have > 0) out->list[n++] = out->list[k];
    }
    out->n = n;
}

static enum err_code add_read(struct key_columns *out, const struct plan *p, size_t stage,
                              struct err *err) {
    enum err_code rc = ERR_OK;
    const struct stage *kinds[KINDS_MOST];
    if (p->stages[stage].kind->gathers) return ERR_OK; /* a job has many values of a key */
    const size_t n = find_kinds(kinds, p, stage), own = out->n;
    const is_shown_fn is_shown =
        plan_choices_makes(p->stages[stage].kind) ? is_shown_of_candidates : is_shown_of_read;
    for (size_t i = 0; i < n; i++) TRY(add_varying(out, p, kinds[i], false, is_shown, err));
    drop_chosen(out, own, p, &p->stages[stage]);
cleanup:
    return rc;
}

enum err_code key_columns_of_stage(struct key_columns *out, const struct plan *p, size_t stage,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(add_varying(out, p, p->stages[stage].kind, true, is_shown_in_own, err));
    TRY(add_read(out, p, stage, err));
cleanup:
    return rc;
}

enum err_code key_columns_of_summary(struct key_columns *out, const struct plan *p, size_t stage,
                                     struct err *err) {
    enum err_code rc = ERR_OK;
    const struct stage *kind = p->stages[stage].kind, *estimate = stage_find("estimate");
    TRY(add_varying(out, p, kind, true, is_shown_as_method, err));
    TRY(add_read(out, p, stage, err));
    if (kind != estimate) TRY(add_varying(out, p, estimate, false, is_not_of_estimator, err));
cleanup:
    return rc;
}

enum err_code key_columns_of_run(struct key_columns *out, const struct plan *p, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t s = 0; s < p->n_stages; s++) {
        bool known = false;
        for (size_t k = 0; k < s; k++) known |= p->stages[k].kind == p->stages[s].kind;
        if (!known) TRY(add_varying(out, p, p->stages[s].kind, false, is_shown_never, err));
    }
cleanup:
    return rc;
}

void key_columns_release(struct key_columns *k) {
    free(k->list);
    *k = (struct key_columns){0};
}

/* ---- the cells */

const struct config_point *key_column_point(const struct plan *p, size_t job,
                                            const struct key_column *column) {
    const struct planned_job *j = &p->jobs[job];
    if (column->own || p->stages[j->stage].kind == column->kind) return j->point;
    if (plan_is_chosen(plan_chosen_key(p, job), column->key)) return NULL;
    for (size_t i = 0; i < j->n_parents; i++) {
        const struct planned_job *parent = read_job(p, j->parents[i]);
        if (plan_is_chosen(plan_chosen_key(p, j->parents[i]), column->key)) return NULL;
        if (p->stages[parent->stage].kind == column->kind) return parent->point;
    }
    return NULL;
}

static bool is_of_method(const struct config_point *point, const char *method) {
    return strcmp(config_has(point, "method") ? config_text(point, "method") : "", method) == 0;
}

bool key_column_varies(const struct key_column *column, const struct plan *p, const size_t *jobs,
                       size_t n, const char *method) {
    struct text value[2] = {{0}, {0}};
    bool met = false, varies = false;
    for (size_t i = 0; i < n && !varies; i++) {
        if (!job_has(p, jobs[i], column)) continue;
        const struct config_point *point = key_column_point(p, jobs[i], column);
        if (method && !is_of_method(point, method)) continue;
        text_clear(&value[met]);
        varying_keys_value(&value[met], p, point, column->key->name);
        varies = met && strcmp(text_str(&value[0]), text_str(&value[1])) != 0;
        met = true;
    }
    text_release(&value[0]);
    text_release(&value[1]);
    return varies;
}

struct job_column key_column_describe(const struct key_column *column, const struct plan *p,
                                      const size_t *jobs, size_t n) {
    const struct config_key *key = column->key;
    struct job_column out = {column->name, JOB_TEXT, key->unit, key->meaning};
    if (key->flags & CONFIG_LIST) return out;
    if (key->type == CONFIG_FLOAT) out.type = JOB_REAL;
    if (key->type != CONFIG_INT) return out;
    out.type = JOB_INT;
    for (size_t i = 0; i < n; i++)
        if (!job_has(p, jobs[i], column)) out.type = JOB_REAL;
    return out;
}

/* The cell without its text, which replaces *text. */
static struct job_value cell_of(struct text *text, const struct plan *p, size_t job,
                                const struct key_column *column, enum job_type type) {
    const bool known = job_has(p, job, column);
    struct job_value cell = {.type = type};
    text_clear(text);
    if (known) varying_keys_value(text, p, key_column_point(p, job, column), column->key->name);
    if (type == JOB_INT) cell.as.integer = known ? strtoll(text_str(text), NULL, 10) : JOB_NO_INT;
    if (type == JOB_REAL) cell.as.real = known ? strtod(text_str(text), NULL) : nan("");
    return cell;
}

enum err_code key_columns_cells(struct job_value *cells, char **texts, size_t *n_texts,
                                const struct key_columns *keys, const struct job_column *columns,
                                const struct plan *p, size_t job, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text text = {0};
    for (size_t k = 0; k < keys->n; k++) {
        cells[k] = cell_of(&text, p, job, &keys->list[k], columns[k].type);
        if (columns[k].type != JOB_TEXT) continue;
        char *copy = text_copy(text_str(&text));
        CHECK(copy, ERR_MEMORY, "no memory for the key of a job");
        cells[k].as.text = texts[(*n_texts)++] = copy;
    }
    TRY(text_check(&text, err));
cleanup:
    text_release(&text);
    return rc;
}
