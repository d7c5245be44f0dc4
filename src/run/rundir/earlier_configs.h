/*
 * earlier_configs.h - jobs of earlier configs: the plans of DIR/configs, one for each config that
 * an attempt had, and the job among them that is nearest to another.
 *
 * A plan made now has the identities of then only while the stages have the versions and the files
 * the contents of then; a job whose identity comes out otherwise is not found.
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

/* The job of this identity, as the newest config that had it says. */
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
