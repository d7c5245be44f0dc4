/*
 * earlier_configs.h - jobs of earlier configs: the plans of DIR/configs, one for each config that
 * an attempt had, and the job among them that is nearest to a given one.
 *
 * A plan made now gives the identities of that time only if stages and files have not changed
 * since; a job whose identity differs now is not found.
 */
#ifndef RUN_RUNDIR_EARLIER_CONFIGS_H
#define RUN_RUNDIR_EARLIER_CONFIGS_H

#include "run/plan/job_keys.h"
#include "run/rundir/run_state.h"

struct earlier_job { /* {0}: none */
    bool found;
    char label[JOB_LABEL], identity[HASH_HEX];
    const char *kind; /* static */
    struct job_keys keys;
    size_t differences; /* from what was asked for; earlier_configs_nearest() only */
};

void earlier_configs_release(struct earlier_job *k); /* idempotent */

/* The job of this identity, from the newest config that has it. */
enum err_code earlier_configs_find(struct earlier_job *out, const struct run_state *r,
                                   const char *identity, struct err *err);

/* Of the finished jobs of this kind that `but` does not plan, the one whose keys differ in the
 * fewest names from `keys`. */
enum err_code earlier_configs_nearest(struct earlier_job *out, const struct run_state *r,
                                      const char *kind, const struct job_keys *keys,
                                      const struct plan *but, struct err *err);

/* The job of a plan that is nearest to `keys`, among those of a kind. */
enum err_code earlier_configs_nearest_planned(struct earlier_job *out, const struct plan *p,
                                              const char *kind, const struct job_keys *keys,
                                              struct err *err);

#endif
