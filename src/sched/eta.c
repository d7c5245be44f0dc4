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

struct run_view { /* what is known of the run */
    const struct planned_job *jobs;
    const struct eta_state *states;
    size_t n, n_stages;
    int ranks;
    struct speed *speeds; /* [n_stages + 1], the last one of all finished jobs together */
};

static void learn_done(const struct run_view *s) {
    for (size_t i = 0; i < s->n; i++) {
        const struct eta_state *t = &s->states[i];
        if (t->state != QUEUE_DONE) continue;
        add(&s->speeds[s->jobs[i].stage], t->seconds, t->ranks, s->jobs[i].cost.flops);
        add(&s->speeds[s->n_stages], t->seconds, t->ranks, s->jobs[i].cost.flops);
    }
}

/* Running jobs of the stages in `asked` that have written a checkpoint since their start. */
static void learn_running(const struct run_view *s, const bool *asked) {
    for (size_t i = 0; i < s->n; i++) {
        const struct eta_state *t = &s->states[i];
        if (t->state == QUEUE_RUNNING && asked[s->jobs[i].stage])
            add(&s->speeds[s->jobs[i].stage], t->marked, t->ranks,
                (t->reached - t->resumed) * s->jobs[i].cost.flops);
    }
}

static double whole_time(const struct run_view *s, size_t job) {
    const struct planned_job *j = &s->jobs[job];
    const struct eta_state *t = &s->states[job];
    const struct speed *speed = &s->speeds[is_known(&s->speeds[j->stage]) ? j->stage : s->n_stages];
    const int wanted = j->cost.group < s->ranks ? j->cost.group : s->ranks;
    const int group = t->state == QUEUE_RUNNING ? t->ranks : wanted;
    return speed->seconds / speed->flops * j->cost.flops / (group > 1 ? group : 1);
}

/* The work that remained at its newest checkpoint, less the time since then. */
static double remaining(const struct eta_state *t, double whole) {
    const double left = whole * (1.0 - t->reached);
    return t->state == QUEUE_RUNNING ? fmax(left - (t->seconds - t->marked), 0.0) : left;
}

static enum err_code look_ahead(double *seconds, const struct run_view *s, struct err *err) {
    enum err_code rc = ERR_OK;
    struct forecast_state *states = calloc(s->n + 1, sizeof *states);
    CHECK(states, ERR_MEMORY, "no memory for %zu jobs", s->n);
    for (size_t i = 0; i < s->n; i++)
        states[i] = (struct forecast_state){.state = s->states[i].state,
                                            .ranks = s->states[i].ranks,
                                            .seconds = remaining(&s->states[i], whole_time(s, i))};
    TRY(forecast_make(seconds, s->jobs, states, s->n, s->ranks, err));
cleanup:
    free(states);
    return rc;
}

static void learn_speeds(const struct run_view *s, bool *asked) {
    learn_done(s);
    for (size_t k = 0; k < s->n_stages; k++) asked[k] = !is_known(&s->speeds[k]);
    learn_running(s, asked);
    for (size_t k = 0; k < s->n_stages && !is_known(&s->speeds[s->n_stages]); k++)
        s->speeds[s->n_stages] = s->speeds[k]; /* no job is finished: the first that runs */
}

enum err_code eta_make(double *seconds, const struct planned_job *jobs,
                       const struct eta_state *states, size_t n, size_t n_stages, int ranks,
                       struct err *err) {
    enum err_code rc = ERR_OK;
    struct run_view s = {jobs, states, n, n_stages, ranks, NULL};
    bool *asked = calloc(n_stages + 1, sizeof *asked);
    s.speeds = calloc(n_stages + 1, sizeof *s.speeds);
    CHECK(s.speeds && asked, ERR_MEMORY, "no memory for %zu stages", n_stages);
    *seconds = nan("");
    learn_speeds(&s, asked);
    if (is_known(&s.speeds[n_stages])) TRY(look_ahead(seconds, &s, err));
cleanup:
    free(asked);
    free(s.speeds);
    return rc;
}
