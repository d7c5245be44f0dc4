/*
 * progress.h - the progress of a run: what the running attempt has done, which hosts work on which
 * job, and the time left.
 */
#ifndef RUN_RUNDIR_PROGRESS_H
#define RUN_RUNDIR_PROGRESS_H

#include "run/rundir/run_state.h"

struct progress {
    double computed;    /* seconds of computing in finished jobs */
    size_t found, made; /* contexts that finished jobs share: found, and made */
    double eta;         /* seconds left on `ranks` ranks; NaN: not known yet */
    int ranks;          /* of the live attempt, else of the last one; at least 1 */
    double running;     /* seconds since the live attempt began; NaN: none is alive */
    size_t done_now;    /* jobs that it finished */
};

enum err_code progress_make(struct progress *out, const struct run_state *r, struct err *err);

/* Of a RUNNING job: seconds since its start, by this clock; NaN: not recorded. */
double progress_elapsed(const struct run_state *r, size_t job);

/* Fraction of a job done at its newest checkpoint; 0: there is none. */
double progress_reached(const struct run_state *r, size_t job);

/* The hosts of the ranks that started a job last: "node3" or "node3, node4"; nothing if unknown. */
void progress_hosts(struct text *out, const struct run_state *r, size_t job);

#endif
