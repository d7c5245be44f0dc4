/*
 * job_seconds.h - the core time of every job of a run: as recorded of those that are done, and as
 * predicted of the others, from the machine's calibration and from the jobs of the run that are
 * done.
 */
#ifndef RUN_RUNDIR_JOB_SECONDS_H
#define RUN_RUNDIR_JOB_SECONDS_H

#include "calibration/calibration.h"
#include "run/rundir/run_state.h"

/* seconds [n_jobs], states [n_jobs]: of all ranks of a job together. The jobs of a stage with
 * finished jobs are predicted to take longer or shorter than their calibrated time by the factor by
 * which those did, by their processor time, which includes what patience saved. Elapsed time is no
 * measure of it: other programs lengthen it. Finished jobs of which no processor time is recorded
 * keep their calibrated time and change no prediction. Of jobs
 * that share contexts (planned_job.contexts) only the first is predicted to make them, as on one
 * rank; every further rank makes its own. rates [ARITHMETICS]: of a product in each arithmetic over
 * one in f32; NULL: all as fast. *contexts: calibrated seconds in which contexts are made,
 * of all jobs together. ERR_MEMORY. */
enum err_code job_seconds(double *seconds, double *contexts, const struct plan *p,
                          const struct run_state_job *states, const struct calibration *c,
                          const double *rates, struct err *err);

#endif
