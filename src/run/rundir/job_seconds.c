#include "run/rundir/job_seconds.h"

#include <stdlib.h>
#include <string.h>

#include "stages/shared_keys.h"

/* Share of products in the time of work with a model in f32: 60 to 90% (docs/performance.md). */
static const double PRODUCTS = 0.75;

struct stage_time { /* of the finished jobs of a stage */
    double recorded, calibrated;
};

static int ranks_of(const struct history_job *past) {
    int n = 1;
    for (const char *at = strchr(past->ranks, ','); at; at = strchr(at + 1, ',')) n++;
    return n;
}

/* 0: not done, without a record of processor time, or resumed from a checkpoint without a record of
 * how much was done before. */
static double recorded_seconds(const struct run_state_job *s) {
    const struct history_job *past = s->past;
    if (s->state != QUEUE_DONE || !past || past->state != HISTORY_DONE) return 0.0;
    if (past->share <= 0.0 && past->total > 0.0) return 0.0;
    return past->cpu * ranks_of(past) / (past->share > 0.0 ? past->share : 1.0);
}

/* How much longer a job takes than in f32, whose speed the calibration is. */
static double slower_than_f32(const struct planned_job *job, const double *rates) {
    return rates ? 1 + PRODUCTS * (1 / rates[shared_keys_arithmetic(job->point)] - 1) : 1.0;
}

/* ---- contexts that several jobs share */

struct sharer {
    const char *key; /* planned_job.contexts */
    bool done;
    size_t job;
};

static int by_key(const void *a, const void *b) {
    const struct sharer *x = a, *y = b;
    const int order = strcmp(x->key, y->key);
    if (order != 0) return order;
    if (x->done != y->done) return x->done ? -1 : 1;
    return x->job < y->job ? -1 : x->job > y->job;
}

/* Of the jobs that share contexts the first makes them, and the first of those that are left, since
 * a new attempt finds none. The others find them. */
static enum err_code subtract_shared(double *seconds, double *contexts, const struct plan *p,
                                     const struct run_state_job *states,
                                     const struct calibration *c, const double *rates,
                                     struct err *err) {
    struct sharer *all = calloc(p->n_jobs + 1, sizeof *all);
    size_t n = 0;
    if (!all) return ERR(err, ERR_MEMORY, "no memory for %zu jobs", p->n_jobs);
    for (size_t j = 0; j < p->n_jobs; j++)
        if (p->jobs[j].contexts[0])
            all[n++] = (struct sharer){p->jobs[j].contexts, states[j].state == QUEUE_DONE, j};
    qsort(all, n, sizeof *all, by_key);
    for (size_t i = 1; i < n; i++) {
        if (all[i].done != all[i - 1].done || strcmp(all[i].key, all[i - 1].key) != 0) continue;
        const struct job_cost *cost = &p->jobs[all[i].job].cost;
        const struct job_load shared = {.contexts = cost->shared, .width = cost->load.width};
        const double found =
            calibration_contexts_seconds(c, &shared) * slower_than_f32(&p->jobs[all[i].job], rates);
        seconds[all[i].job] -= found;
        *contexts -= found;
    }
    free(all);
    return ERR_OK;
}

/* ---- all jobs */

/* Takes the recorded time of finished jobs; times: of each stage. */
static void take_recorded(double *seconds, struct stage_time *times, const struct plan *p,
                          const struct run_state_job *states) {
    for (size_t j = 0; j < p->n_jobs; j++) {
        struct stage_time *t = &times[p->jobs[j].stage];
        const double recorded = recorded_seconds(&states[j]);
        if (!(recorded > 0.0)) continue;
        t->recorded += recorded;
        t->calibrated += seconds[j];
        seconds[j] = recorded;
    }
}

enum err_code job_seconds(double *seconds, double *contexts, const struct plan *p,
                          const struct run_state_job *states, const struct calibration *c,
                          const double *rates, struct err *err) {
    enum err_code rc = ERR_OK;
    struct stage_time *times = calloc(p->n_stages + 1, sizeof *times);
    CHECK(times, ERR_MEMORY, "no memory for %zu stages", p->n_stages);
    *contexts = 0.0;
    for (size_t j = 0; j < p->n_jobs; j++) {
        const struct job_load *load = &p->jobs[j].cost.load;
        const double slower = slower_than_f32(&p->jobs[j], rates);
        seconds[j] = slower * calibration_seconds(c, load);
        *contexts += slower * calibration_contexts_seconds(c, load);
    }
    TRY(subtract_shared(seconds, contexts, p, states, c, rates, err));
    take_recorded(seconds, times, p, states);
    for (size_t j = 0; j < p->n_jobs; j++) {
        const struct stage_time *t = &times[p->jobs[j].stage];
        if (states[j].state != QUEUE_DONE && t->calibrated > 0.0)
            seconds[j] *= t->recorded / t->calibrated;
    }
cleanup:
    free(times);
    return rc;
}
