#include "run/rundir/earlier_configs.h"

#include <string.h>

#include "run/rundir/rundir.h"

void earlier_configs_release(struct earlier_job *k) {
    job_keys_release(&k->keys);
    *k = (struct earlier_job){0};
}

static void take(struct earlier_job *out, struct job_keys *keys, const struct plan *p, size_t job) {
    earlier_configs_release(out);
    out->found = true;
    out->keys = *keys;
    *keys = (struct job_keys){0};
    out->kind = p->stages[p->jobs[job].stage].kind->name;
    memcpy(out->label, p->jobs[job].label, sizeof out->label);
    memcpy(out->identity, p->jobs[job].identity, sizeof out->identity);
}

/* ---- every plan of the run: the newest first, each config once */

/* *more: continue with the next plan. */
typedef enum err_code look(bool *more, const struct plan *p, void *context, struct err *err);

static bool was_seen(const struct history *h, size_t attempt, const char *sum) {
    for (size_t i = attempt + 1; i < h->n_attempts; i++) {
        const char *later = history_field(&h->attempts[i], "config");
        if (later && strcmp(later, sum) == 0) return true;
    }
    return false;
}

/* A config that no longer opens, or was not stored, is skipped. */
static enum err_code look_at(bool *more, const struct run_state *r, const char *path, look *f,
                             void *context, struct err *err) {
    enum err_code rc = ERR_OK;
    struct config *config = NULL;
    struct plan plan = {0};
    struct err ignored = {0};
    if (file_exists(path) &&
        stage_schemas_open(&config, &r->schemas, path, NULL, 0, &ignored) == ERR_OK &&
        plan_make(&plan, config, &ignored) == ERR_OK)
        rc = f(more, &plan, context, err);
    plan_release(&plan);
    config_close(config);
    return rc;
}

static enum err_code each_plan(const struct run_state *r, look *f, void *context, struct err *err) {
    enum err_code rc = ERR_OK;
    bool more = true;
    char path[FILE_PATH_MAX];
    const struct history *h = &r->history;
    TRY(f(&more, &r->plan, context, err));
    for (size_t i = h->n_attempts; more && i-- > 0;) {
        const char *sum = history_field(&h->attempts[i], "config");
        if (!sum || strlen(sum) != 64 || was_seen(h, i, sum)) continue;
        TRY(rundir_kept_path(path, r->dir, sum, err));
        TRY(look_at(&more, r, path, f, context, err));
    }
cleanup:
    return rc;
}

/* ---- a job by its identity */

struct by_identity {
    struct earlier_job *out;
    const char *identity;
};

static enum err_code look_for(bool *more, const struct plan *p, void *context, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct by_identity *q = context;
    struct job_keys keys = {0};
    const size_t job = plan_find(p, q->identity);
    if (job == PLAN_NONE) return ERR_OK;
    TRY(job_keys_make(&keys, p, job, err));
    take(q->out, &keys, p, job);
    *more = false;
cleanup:
    return rc;
}

enum err_code earlier_configs_find(struct earlier_job *out, const struct run_state *r,
                                   const char *identity, struct err *err) {
    struct by_identity q = {out, identity};
    *out = (struct earlier_job){0};
    return each_plan(r, look_for, &q, err);
}

/* ---- the nearest job */

struct nearest {
    struct earlier_job *out;
    const char *kind;
    const struct job_keys *keys;
    const struct history *done; /* only jobs that it knows as DONE; NULL: all */
    const struct plan *but;     /* and that this one does not plan; NULL: all */
};

static bool is_asked(const struct nearest *q, const struct plan *p, size_t job) {
    const char *identity = p->jobs[job].identity;
    if (!plan_stage_is(p, p->jobs[job].stage, q->kind)) return false;
    if (q->but && plan_find(q->but, identity) != PLAN_NONE) return false;
    const struct history_job *past = q->done ? history_find(q->done, identity) : NULL;
    return !q->done || (past && past->state == HISTORY_DONE);
}

static enum err_code look_nearer(bool *more, const struct plan *p, void *context, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct nearest *q = context;
    struct job_keys keys = {0};
    (void)more;
    for (size_t j = 0; j < p->n_jobs; j++) {
        if (!is_asked(q, p, j)) continue;
        TRY(job_keys_make(&keys, p, j, err));
        const size_t n = job_keys_compare(NULL, &keys, q->keys);
        if (!q->out->found || n < q->out->differences) {
            take(q->out, &keys, p, j);
            q->out->differences = n;
        }
        job_keys_release(&keys);
    }
cleanup:
    job_keys_release(&keys);
    return rc;
}

enum err_code earlier_configs_nearest(struct earlier_job *out, const struct run_state *r,
                                      const char *kind, const struct job_keys *keys,
                                      const struct plan *but, struct err *err) {
    struct nearest q = {out, kind, keys, &r->history, but};
    *out = (struct earlier_job){0};
    return each_plan(r, look_nearer, &q, err);
}

enum err_code earlier_configs_nearest_planned(struct earlier_job *out, const struct plan *p,
                                              const char *kind, const struct job_keys *keys,
                                              struct err *err) {
    struct nearest q = {out, kind, keys, NULL, NULL};
    bool more;
    *out = (struct earlier_job){0};
    return look_nearer(&more, p, &q, err);
}
