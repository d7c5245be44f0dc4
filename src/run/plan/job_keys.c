#include "run/plan/job_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum err_code add(struct job_keys *k, const char *prefix, const char *name,
                         const char *value, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text whole = {0};
    if (k->n == k->capacity) {
        const size_t capacity = k->capacity ? 2 * k->capacity : 32;
        struct job_key *items = realloc(k->items, capacity * sizeof *items);
        CHECK(items, ERR_MEMORY, "no memory for the keys of a job");
        k->items = items;
        k->capacity = capacity;
    }
    text_add(&whole, "%s%s", prefix, name);
    struct job_key *item = &k->items[k->n];
    *item = (struct job_key){text_copy(text_str(&whole)), text_copy(value)};
    k->n++;
    CHECK(item->name && item->value, ERR_MEMORY, "no memory for the keys of a job");
cleanup:
    text_release(&whole);
    return rc;
}

static enum err_code add_point(struct job_keys *k, const char *prefix, const struct plan *p,
                               const struct config_point *point, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text value = {0}, name = {0};
    for (size_t i = 0; i < config_point_size(point); i++) {
        const struct config_key *key = config_point_key(point, i);
        if (!config_point_identifies(point, i)) continue;
        text_clear(&value);
        text_clear(&name);
        if (!(key->flags & CONFIG_PATH)) {
            config_point_value(&value, point, i);
            TRY(add(k, prefix, key->name, text_str(&value), err));
        } else if (plan_text(point, key->name)) {
            text_add(&name, "file %s", key->name);
            TRY(add(k, prefix, text_str(&name),
                    identity_files_find(p->files, plan_text(point, key->name)), err));
        }
    }
cleanup:
    text_release(&value);
    text_release(&name);
    return rc;
}

static enum err_code add_job(struct job_keys *k, const char *prefix, const struct plan *p,
                             size_t job, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct planned_job *j = &p->jobs[job];
    struct text version = {0};
    text_add(&version, "%d", p->stages[j->stage].kind->version);
    TRY(add(k, prefix, "stage version", text_str(&version), err));
    if (j->control) TRY(add(k, prefix, "control", j->control, err));
    TRY(add_point(k, prefix, p, j->point, err));
cleanup:
    text_release(&version);
    return rc;
}

/* A job that is read, and behind a choice the fits that it chooses from. */
static enum err_code add_read(struct job_keys *k, const struct plan *p, size_t job,
                              struct err *err) {
    enum err_code rc = ERR_OK;
    const struct planned_job *j = &p->jobs[job];
    char prefix[96];
    (void)snprintf(prefix, sizeof prefix, "%.90s.", p->stages[j->stage].kind->name);
    TRY(add_job(k, prefix, p, job, err));
    if (!plan_chosen_key(p, job)) return ERR_OK;
    for (size_t i = 0; i < j->n_parents; i++) TRY(add_job(k, "fit.", p, j->parents[i], err));
cleanup:
    return rc;
}

enum err_code job_keys_make(struct job_keys *out, const struct plan *p, size_t job,
                            struct err *err) {
    enum err_code rc = ERR_OK;
    const struct planned_job *j = &p->jobs[job];
    char seed[32];
    *out = (struct job_keys){0};
    (void)snprintf(seed, sizeof seed, "%llu", (unsigned long long)config_seed(p->config));
    TRY(add(out, "", "seed", seed, err));
    TRY(add_job(out, "", p, job, err));
    out->own = out->n;
    for (size_t i = 0; i < j->n_parents; i++) TRY(add_read(out, p, j->parents[i], err));
cleanup:
    if (rc != ERR_OK) job_keys_release(out);
    return rc;
}

void job_keys_release(struct job_keys *k) {
    for (size_t i = 0; i < k->n; i++) {
        free(k->items[i].name);
        free(k->items[i].value);
    }
    free(k->items);
    *k = (struct job_keys){0};
}

/* Lists of similar jobs have their names in the same order: begin after the last one found. */
static const char *find(const struct job_keys *k, const char *name, size_t *at) {
    for (size_t i = 0; i < k->n; i++) {
        const size_t place = (*at + i) % k->n;
        if (strcmp(k->items[place].name, name) != 0) continue;
        *at = place + 1;
        return k->items[place].value;
    }
    return NULL;
}

size_t job_keys_compare(struct job_change *out, const struct job_keys *was,
                        const struct job_keys *is) {
    size_t n = 0, at = 0;
    for (size_t i = 0; i < is->n; i++) {
        const char *before = find(was, is->items[i].name, &at);
        if (before && strcmp(before, is->items[i].value) == 0) continue;
        if (out) out[n] = (struct job_change){is->items[i].name, before, is->items[i].value};
        n++;
    }
    at = 0;
    for (size_t i = 0; i < was->n; i++) {
        if (find(is, was->items[i].name, &at)) continue;
        if (out) out[n] = (struct job_change){was->items[i].name, was->items[i].value, NULL};
        n++;
    }
    return n;
}
