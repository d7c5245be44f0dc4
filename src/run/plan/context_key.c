#include "run/plan/context_key.h"

#include <stdlib.h>
#include <string.h>

#include "stages/job_model.h"

/* A name that ends with '.' stands for all that begin with it. */
static bool is_meant(const char *key, const char *name) {
    const size_t n = strlen(name);
    return name[n - 1] == '.' ? strncmp(key, name, n) == 0 : strcmp(key, name) == 0;
}

static bool is_named(const char *key, const char *const *names) {
    const bool except = (*names)[0] == '!';
    for (; *names; names++)
        if (is_meant(key, *names + except)) return !except;
    return except;
}

static void add_values(struct text *out, const struct config_point *point,
                       const char *const *names) {
    for (size_t i = 0; i < config_point_size(point); i++) {
        const struct config_key *key = config_point_key(point, i);
        if (!is_named(key->name, names) || !config_has(point, key->name)) continue;
        text_add(out, "%s=", key->name);
        config_point_value(out, point, i);
        text_add(out, "\n");
    }
}

static const struct config_point *fit_of(const struct plan *p, const struct planned_job *job) {
    for (size_t i = 0; i < job->n_parents; i++) {
        const char *kind = p->stages[p->jobs[job->parents[i]].stage].kind->name;
        if (strcmp(kind, "fit") == 0 || plan_chosen_key(p, job->parents[i]))
            return plan_read_point(p, job->parents[i]);
    }
    return NULL;
}

static void add_model(struct text *out, const struct plan *p, size_t job) {
    const size_t made = plan_model(p, job);
    const char *path = made == PLAN_NONE ? plan_model_file(p, job) : NULL;
    const char *hash = path ? identity_files_find(p->files, path) : NULL;
    const struct planned_job *j = &p->jobs[job];
    text_add(out, "%s %llu\n",
             made != PLAN_NONE ? p->jobs[made].identity
             : hash            ? hash
                               : "",
             (unsigned long long)job_model_wpe_seed(j->point, fit_of(p, j)));
}

enum err_code context_key_make(struct plan *p, size_t job, struct text *scratch, struct err *err) {
    enum err_code rc = ERR_OK;
    struct planned_job *j = &p->jobs[job];
    const struct stage *stage = p->stages[j->stage].kind;
    struct hash h;
    if (!stage->context_keys || !j->cost.context_of[0]) return ERR_OK;
    text_clear(scratch);
    text_add(scratch, "%s %llu\n", j->cost.context_of, (unsigned long long)config_seed(p->config));
    add_model(scratch, p, job);
    add_values(scratch, j->point, stage->context_keys);
    TRY(text_check(scratch, err));
    hash_begin(&h);
    hash_bytes(&h, scratch->data, scratch->size);
    hash_end(j->contexts, &h);
cleanup:
    return rc;
}
