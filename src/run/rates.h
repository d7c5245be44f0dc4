/*
 * rates.h - how fast each stage went: what finished jobs did, over the seconds they took.
 */
#ifndef RUN_RATES_H
#define RUN_RATES_H

#include "run/record.h"

/* A line per stage with finished jobs: "fit: 1.23k prompts/s in each of 24 jobs". Jobs that went on
 * from a checkpoint do not count: nobody timed their first part. */
void rates_print(struct text *out, const struct record *r);

#endif
