/*
 * job_keys.h - what identifies a job, as a list of names and values, and how two jobs differ.
 *
 * The names: "stage version", "seed", "control", each key that is part of the identity, "file KEY"
 * (the content of a file, not its path); and, with the kind of the job in front, those of the jobs
 * it reads: "pretrain.optimiser.lr".
 */
#ifndef RUN_PLAN_JOB_KEYS_H
#define RUN_PLAN_JOB_KEYS_H

#include "base/err.h"
#include "run/plan/plan.h"

struct job_key {
    char *name, *value; /* owned; the value as in a config */
};

struct job_keys { /* {0} is empty */
    struct job_key *items;
    size_t n, capacity;
    size_t own; /* the first `own` are the job's, the rest those of the jobs it reads */
};

enum err_code job_keys_make(struct job_keys *out, const struct plan *p, size_t job,
                            struct err *err);
void job_keys_release(struct job_keys *k); /* idempotent */

struct job_change {              /* of one name; the texts belong to the two lists */
    const char *name, *was, *is; /* NULL: it has no such key */
};

/* The names with different values, those of `is` first; returns how many. out: room for was->n +
 * is->n, or NULL to count. */
size_t job_keys_compare(struct job_change *out, const struct job_keys *was,
                        const struct job_keys *is);

#endif
