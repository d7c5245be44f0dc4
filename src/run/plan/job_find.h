/*
 * job_find.h - the job that a word of the command line means: "fit[3]", the line of the plan, or
 * the first digits of an identity.  A number that is a line of the plan means that line; with a 0
 * before it, or more than 9 digits, it begins an identity.
 */
#ifndef RUN_PLAN_JOB_FIND_H
#define RUN_PLAN_JOB_FIND_H

#include "base/err.h"
#include "journal/history.h"
#include "run/plan/plan.h"

enum { JOB_FIND_DIGITS = 4 }; /* of an identity, at least */

struct job_found {
    char identity[HASH_HEX];
    size_t job;                     /* in the plan, or PLAN_NONE: no longer planned */
    const struct history_job *past; /* NULL: never started */
};

/* ERR_USAGE for a word that means no job (with the nearest labels) or several. */
enum err_code job_find(struct job_found *out, const char *word, const struct plan *p,
                       const struct history *h, struct err *err);

#endif
