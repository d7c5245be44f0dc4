#include "sched/eta.h"

#include <math.h>
#include <stdlib.h>

#include "sched/forecast.h"

struct speed { /* seconds of one rank, and the planned flops that took them */
    double seconds, flops;
};

static void add(struct speed *s, double seconds, int ranks, double flops) {
    if (!(seconds > 0.0) || !(flops > 0.0)) return;
    s->seconds += seconds * (ranks > 1 ? ranks : 1);
    s->flops += flops;
}

static bool is_known(const struct speed *s) { return s->flops > 0.0; }

/* speeds [n_stages + 1], the last one of all finished jobs together. */
static void learn(struct speed *speeds, const struct eta_job *jobs, size_t n, size_t n_stages) {
    for (size_t i = 0; i < n; i++) {
        if (jobs[i].state != QUEUE_DONE) continue;
        add(&speeds[jobs[i].stage], jobs[i].seconds, jobs[i].ranks, jobs[i].flops);
        add(&speeds[n_stages], jobs[i].seconds, jobs[i].ranks, jobs[i].flops);
    }
}

/* What runs and left a checkpoint since it was started tells too: of the stages in `asked`. */
static void learn_running(struct speed *speeds, const bool *asked, const struct eta_job *jobs,
                          size_t n) {
    for (size_t i = 0; i < n; i++) {
        const struct eta_job *j = &jobs[i];
        if (j->state == QUEUE_RUNNING && asked[j->stage])
            add(&speeds[j->stage], j->marked, j->ranks, (j->reached - j->resumed) * j->flops);
    }
}

static double whole_time(const struct eta_job *j, const struct speed *speeds, size_t n_stages,
                         int ranks) {
    const struct speed *s = &speeds[is_known(&speeds[j->stage]) ? j->stage : n_stages];
    const int wanted = j->group < ranks ? j->group : ranks;
    const int group = j->state == QUEUE_RUNNING ? j->ranks : wanted;
    return s->seconds / s->flops * j->flops / (group > 1 ? group : 1);
}

/* What its newest checkpoint leaves to do, less the time since then. */
static double time_left(const struct eta_job *j, double whole) {
    const double left = whole * (1.0 - j->reached);
    return j->state == QUEUE_RUNNING ? fmax(left - (j->seconds - j->marked), 0.0) : left;
}

static enum err_code look_ahead(double *seconds, const struct eta_job *jobs, size_t n,
                                const struct speed *speeds, size_t n_stages, int ranks,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    struct forecast_job *all = calloc(n + 1, sizeof *all);
    CHECK(all, ERR_MEMORY, "no memory to look ahead over %zu jobs", n);
    for (size_t i = 0; i < n; i++)
        all[i] = (struct forecast_job){
            .parents = jobs[i].parents,
            .n_parents = jobs[i].n_parents,
            .state = jobs[i].state,
            .cost = jobs[i].flops,
            .group = jobs[i].state == QUEUE_RUNNING ? jobs[i].ranks : jobs[i].group,
            .seconds = time_left(&jobs[i], whole_time(&jobs[i], speeds, n_stages, ranks))};
    TRY(forecast_make(seconds, all, n, ranks, err));
cleanup:
    free(all);
    return rc;
}

enum err_code eta_make(double *seconds, const struct eta_job *jobs, size_t n, size_t n_stages,
                       int ranks, struct err *err) {
    enum err_code rc = ERR_OK;
    struct speed *speeds = calloc(n_stages + 1, sizeof *speeds);
    bool *asked = calloc(n_stages + 1, sizeof *asked);
    CHECK(speeds && asked, ERR_MEMORY, "no memory for %zu stages", n_stages);
    *seconds = nan("");
    learn(speeds, jobs, n, n_stages);
    for (size_t s = 0; s < n_stages; s++) asked[s] = !is_known(&speeds[s]);
    learn_running(speeds, asked, jobs, n);
    for (size_t s = 0; s < n_stages && !is_known(&speeds[n_stages]); s++)
        speeds[n_stages] = speeds[s]; /* nothing is finished: by what runs */
    if (is_known(&speeds[n_stages]))
        TRY(look_ahead(seconds, jobs, n, speeds, n_stages, ranks, err));
cleanup:
    free(asked);
    free(speeds);
    return rc;
}
