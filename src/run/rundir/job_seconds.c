#include "run/rundir/job_seconds.h"

#include <stdlib.h>
#include <string.h>

struct stage_time { /* of the finished jobs of a stage */
    double recorded, calibrated;
};

static int ranks_of(const struct history_job *past) {
    int n = 1;
    for (const char *at = strchr(past->ranks, ','); at; at = strchr(at + 1, ',')) n++;
    return n;
}

/* 0: not done, or resumed from a checkpoint without a record of how much was done before. */
static double recorded_seconds(const struct run_state_job *s) {
    const struct history_job *past = s->past;
    if (s->state != QUEUE_DONE || !past || past->state != HISTORY_DONE) return 0.0;
    if (past->share <= 0.0 && past->total > 0.0) return 0.0;
    return past->seconds * ranks_of(past) / (past->share > 0.0 ? past->share : 1.0);
}

enum err_code job_seconds(double *seconds, const struct plan *p, const struct run_state_job *states,
                          const struct calibration *c, struct err *err) {
    struct stage_time *times = calloc(p->n_stages + 1, sizeof *times);
    if (!times) return ERR(err, ERR_MEMORY, "no memory for %zu stages", p->n_stages);
    for (size_t j = 0; j < p->n_jobs; j++) {
        struct stage_time *t = &times[p->jobs[j].stage];
        const double recorded = recorded_seconds(&states[j]);
        seconds[j] = calibration_seconds(c, &p->jobs[j].cost.load);
        if (!(recorded > 0.0)) continue;
        t->recorded += recorded;
        t->calibrated += seconds[j];
        seconds[j] = recorded;
    }
    for (size_t j = 0; j < p->n_jobs; j++) {
        const struct stage_time *t = &times[p->jobs[j].stage];
        if (states[j].state != QUEUE_DONE && t->calibrated > 0.0)
            seconds[j] *= t->recorded / t->calibrated;
    }
    free(times);
    return ERR_OK;
}
