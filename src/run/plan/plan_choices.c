#include "run/plan/plan_choices.h"

#include <stdlib.h>
#include <string.h>

#include "stages/fit_keys.h"

bool plan_choices_makes(const struct stage *kind) { return strcmp(kind->name, "choose") == 0; }

/* ---- the key */

static const struct config_key *find_key(const struct config_schema *s, const char *name) {
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->rows[i]->name, name) == 0) return s->rows[i];
    return NULL;
}

static bool is_of_one_method(const struct config_key *key) {
    return key->when && strncmp(key->when, "method=", strlen("method=")) == 0;
}

/* Suggests "optimiser.lr" for "lr", which all learned methods have, or the nearest axis. */
static const char *nearest_axis(const struct config_schema *s, const char *name,
                                const char **names) {
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        const char *key = s->rows[i]->name, *dot = strrchr(key, '.');
        if (!(s->rows[i]->flags & CONFIG_AXIS)) continue;
        if (dot && strcmp(dot + 1, name) == 0 && !is_of_one_method(s->rows[i])) return key;
        names[n++] = key;
    }
    return text_nearest(name, names, n);
}

static enum err_code unknown_key(const struct config_point *point, const struct config_schema *s,
                                 const char *name, struct err *err) {
    const char **names = calloc(s->n + 1, sizeof *names);
    if (!names) return ERR(err, ERR_MEMORY, "no memory for %zu keys", s->n);
    const char *near = nearest_axis(s, name, names);
    const enum err_code rc =
        config_error(err, point, "key", "\"%.60s\" is no key of a stage fit%s%s%s", name,
                     near ? " (did you mean " : "; give an axis of it, such as optimiser.lr",
                     near ? near : "", near ? "?)" : "");
    free(names);
    return rc;
}

static enum err_code check_key(const struct config_point *point, struct err *err) {
    enum err_code rc = ERR_OK;
    struct config_schema schema = {0};
    const char *name = config_text(point, "key");
    TRY(stage_schema(&schema, stage_find("fit"), err));
    const struct config_key *key = find_key(&schema, name);
    if (!key) TRY(unknown_key(point, &schema, name, err));
    CHECK_CONFIG(key->flags & CONFIG_AXIS, point, "key",
                 "%s is not an axis: it has one value in a stage; choose a key with several", name);
    CHECK_CONFIG(fit_keys_comparable(key), point, "key",
                 "fits that differ in %s are not compared by their validation losses: choose "
                 "another key; there is one choice for each value of this one",
                 name);
cleanup:
    config_schema_release(&schema);
    return rc;
}

/* ---- groups */

struct candidate {
    size_t job;
    size_t place;         /* in the list of fits */
    size_t first;         /* place of the first fit of its group */
    char group[HASH_HEX]; /* hash of all that the fits of a group share */
};

static enum err_code identify_group(char out[HASH_HEX], const struct plan *p, size_t fit,
                                    const char *key, struct text *scratch, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct planned_job *job = &p->jobs[fit];
    struct hash h;
    text_clear(scratch);
    for (size_t i = 0; i < job->n_parents; i++)
        text_add(scratch, "%s\n", p->jobs[job->parents[i]].identity);
    for (size_t i = 0; i < config_point_size(job->point); i++) {
        const struct config_key *row = config_point_key(job->point, i);
        if (!config_point_identifies(job->point, i) || plan_is_chosen(key, row)) continue;
        text_add(scratch, "%s=", row->name);
        config_point_value(scratch, job->point, i);
        text_add(scratch, "\n");
    }
    TRY(text_check(scratch, err));
    hash_begin(&h);
    hash_bytes(&h, text_str(scratch), scratch->size);
    hash_end(out, &h);
cleanup:
    return rc;
}

static int by_group(const void *a, const void *b) {
    const struct candidate *x = a, *y = b;
    const int order = strcmp(x->group, y->group);
    return order ? order : (x->place > y->place) - (x->place < y->place);
}

static int by_first(const void *a, const void *b) {
    const struct candidate *x = a, *y = b;
    if (x->first != y->first) return x->first > y->first ? 1 : -1;
    return (x->place > y->place) - (x->place < y->place);
}

/* The fits of a group one after the other, both in the order of the config; *n of them, because two
 * stages may share a fit. */
static enum err_code sort_fits(struct candidate *list, size_t *n, struct job_builder *b,
                               const struct job_list *fits, const char *key, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text scratch = {0};
    b->visits++;
    for (size_t i = 0; i < fits->n; i++) {
        if (!job_builder_visit(b, fits->jobs[i])) continue;
        struct candidate *c = &list[(*n)++];
        *c = (struct candidate){.job = fits->jobs[i], .place = i};
        TRY(identify_group(c->group, b->plan, c->job, key, &scratch, err));
    }
    qsort(list, *n, sizeof *list, by_group);
    for (size_t i = 0; i < *n; i++) {
        const bool same = i > 0 && strcmp(list[i].group, list[i - 1].group) == 0;
        list[i].first = same ? list[i - 1].first : list[i].place;
    }
    qsort(list, *n, sizeof *list, by_first);
cleanup:
    text_release(&scratch);
    return rc;
}

static size_t group_size(const struct candidate *list, size_t n) {
    size_t size = 1;
    while (size < n && list[size].first == list->first) size++;
    return size;
}

/* One job, or none for a fit that is alone; *passed: the job that readers of the stage read. */
static enum err_code add_choice(size_t *passed, struct job_builder *b, size_t stage,
                                const struct candidate *list, size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct plan *p = b->plan;
    struct planned_job job = {.stage = stage, .point = config_stage_point(p->config, stage, 0)};
    *passed = list->job;
    if (n == 1) return ERR_OK;
    CHECK_CONFIG(n <= JOB_PARENTS, job.point, "key",
                 "%s has %zu values, a choice is among at most %d: give fewer",
                 config_text(job.point, "key"), n, JOB_PARENTS);
    for (size_t i = 0; i < n; i++) job.parents[job.n_parents++] = list[i].job;
    TRY(job_builder_add(b, job, err));
    *passed = p->stages[stage].jobs[p->stages[stage].n_jobs - 1];
cleanup:
    return rc;
}

enum err_code plan_choices_add(struct job_builder *b, size_t stage, const struct job_list *fits,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    struct plan_stage *s = &b->plan->stages[stage];
    const struct config_point *point = config_stage_point(b->plan->config, stage, 0);
    size_t n = 0;
    struct candidate *list = calloc(fits->n + 1, sizeof *list);
    s->passed = calloc(fits->n + 1, sizeof *s->passed);
    CHECK(list && s->passed, ERR_MEMORY, "no memory for %zu fits", fits->n);
    TRY(check_key(point, err));
    TRY(sort_fits(list, &n, b, fits, config_text(point, "key"), err));
    for (size_t i = 0, size; i < n; i += size) {
        size = group_size(list + i, n - i);
        TRY(add_choice(&s->passed[s->n_passed++], b, stage, list + i, size, err));
    }
cleanup:
    free(list);
    return rc;
}
