/*
 * throughput.h - how fast each stage went: what finished jobs did, over the seconds they took.
 */
#ifndef RUN_RUNDIR_THROUGHPUT_H
#define RUN_RUNDIR_THROUGHPUT_H

#include "run/rundir/run_state.h"

/* A line per stage with finished jobs: "fit: 1.23k prompts/s in each of 24 jobs". Jobs that went on
 * from a checkpoint do not count: nobody timed their first part. */
void throughput_print(struct text *out, const struct run_state *r);

#endif
