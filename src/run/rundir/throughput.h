/*
 * throughput.h - work per second of each stage, from its finished jobs.
 */
#ifndef RUN_RUNDIR_THROUGHPUT_H
#define RUN_RUNDIR_THROUGHPUT_H

#include "run/rundir/run_state.h"

/* A line per stage with finished jobs: "fit: 1.23k prompts/s in each of 24 jobs". Jobs that resumed
 * from a checkpoint do not count: the time of their first part is not known. */
void throughput_print(struct text *out, const struct run_state *r);

#endif
