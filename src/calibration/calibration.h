/*
 * calibration.h - how fast this machine does each kind of work: predicts the time of jobs.
 *
 * A job's load (job/planned_job.h) counts operations and bytes by kinds. calibration_measure() runs
 * the program's own passes on small models of two widths and one estimator, less than two seconds
 * in all, and takes the processor time of the fastest of several repeats: other programs on the
 * machine do not count, but they slow the caches and the memory that all share.
 * calibration_load() takes the result from a file if this host, build and BLAS kernel have one that
 * is current.
 *
 * Only predictions depend on it: no identity, no bit of a result, no decision of a run.
 */
#ifndef CALIBRATION_CALIBRATION_H
#define CALIBRATION_CALIBRATION_H

#include <stdbool.h>

#include "base/err.h"
#include "job/planned_job.h"

/* Seconds of one operation in models of two widths; others are interpolated. */
struct calibration_rate {
    double narrow, wide;
};

enum { CALIBRATION_NARROW = 64, CALIBRATION_WIDE = 256 }; /* E */

struct calibration {
    struct calibration_rate contexts, queries, training;
    double read;      /* seconds per byte, beyond those of the same query on cached contexts */
    double estimates; /* seconds per operation */
    bool cached;      /* from a file */
    double took;      /* seconds of processor time that measuring took */
    double measured;  /* when: clock_wall() */
    double load;      /* running processes for each core then, before it began */
};

/* Running processes for each core, over the last minute; 0 where the system does not tell. */
double calibration_load_now(void);

/* Other programs kept more than half of the cores busy while it was measured: plans say so. */
bool calibration_is_of_busy_machine(const struct calibration *c);

/* False: it is to be measured again. It is older than seven days (or from the future), or other
 * programs kept more than half of the cores busy and now at most half as many do. */
bool calibration_is_current(const struct calibration *c, double now, double load);

/* Seconds of one operation at width E: a + b / E through the two that were measured, since a layer
 * takes time proportional to E^2 for its products and to E for the rest; beyond the wide one at
 * least half of its time. */
double calibration_rate_at(const struct calibration_rate *r, double width);

/* Processor seconds of a job on one rank. */
double calibration_seconds(const struct calibration *c, const struct job_load *load);

/* The time to make contexts alone, part of calibration_seconds(). */
double calibration_contexts_seconds(const struct calibration *c, const struct job_load *load);

/* Measures now. ERR_MEMORY. */
enum err_code calibration_measure(struct calibration *out, struct err *err);

/* From the cache, else measured and cached. A cache that cannot be read, is damaged, belongs to
 * another host, build or kernel, or is not current is measured again; one that cannot be written is
 * no error. */
enum err_code calibration_load(struct calibration *out, struct err *err);

#endif
