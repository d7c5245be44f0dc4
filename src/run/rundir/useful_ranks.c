#include "run/rundir/useful_ranks.h"

#include <math.h>
#include <stdlib.h>

#include "sched/forecast.h"

/* To end at most this much later, fewer ranks are preferred: ten seconds are the start of a job on
 * a cluster. */
static const double FACTOR = 1.1, SECONDS = 10.0;

/* Fills states of the forecast; returns the ranks of the largest group that is left. A run that is
 * active now is planned as if it were to start again. */
static int set_states(struct forecast_state *out, const struct plan *p,
                      const struct run_state_job *states, const double *core_seconds) {
    int largest = 1;
    for (size_t j = 0; j < p->n_jobs; j++) {
        const struct job_cost *c = &p->jobs[j].cost;
        const int group = c->group > 1 ? c->group : 1;
        const bool ended = states[j].state == QUEUE_DONE || states[j].state == QUEUE_FAILED;
        out[j] = (struct forecast_state){.state = ended ? states[j].state : QUEUE_PENDING,
                                         .seconds = core_seconds[j] / group};
        if (!ended && group > largest) largest = group;
    }
    return largest < USEFUL_RANKS_MAX ? largest : USEFUL_RANKS_MAX;
}

enum err_code useful_ranks(int *ranks, double *seconds, const struct plan *p,
                           const struct run_state_job *states, const double *core_seconds,
                           struct err *err) {
    enum err_code rc = ERR_OK;
    double least, span;
    int high = USEFUL_RANKS_MAX;
    struct forecast_state *at = calloc(p->n_jobs + 1, sizeof *at);
    CHECK(at, ERR_MEMORY, "no memory for %zu jobs", p->n_jobs);
    int low = set_states(at, p, states, core_seconds);
    TRY(forecast_make(&least, p->jobs, at, p->n_jobs, USEFUL_RANKS_MAX, err));
    const double most = fmax(FACTOR * least, least + SECONDS);
    while (low < high) {
        const int middle = low + (high - low) / 2;
        TRY(forecast_make(&span, p->jobs, at, p->n_jobs, middle, err));
        if (span <= most)
            high = middle;
        else
            low = middle + 1;
    }
    TRY(forecast_make(&span, p->jobs, at, p->n_jobs, low, err));
    *ranks = low;
    *seconds = span;
cleanup:
    free(at);
    return rc;
}
