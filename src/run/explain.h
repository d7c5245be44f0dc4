/*
 * explain.h - one job of a run: what it is, what became of it, whether it would run again, and what
 * sets it apart from what was there before.
 */
#ifndef RUN_EXPLAIN_H
#define RUN_EXPLAIN_H

#include "run/job_find.h"
#include "run/kept.h"
#include "run/record.h"

struct explain {
    const struct record *record;
    const struct plan *plan;   /* asked: that of the directory, or of another config */
    struct record_job *states; /* [plan->n_jobs] */
    struct job_found found;
    struct kept_job job;     /* its own label, kind and keys; not found: no config has it */
    struct kept_job nearest; /* of what is done and not planned; of the plan for what is gone */
    struct text verdict;     /* whether it would run again, and why */
    bool runs;
};

/* ERR_USAGE for a word that means no job, or several. *record and *plan outlive *out. */
enum err_code explain_make(struct explain *out, const struct record *record,
                           const struct plan *plan, const char *word, struct err *err);
void explain_release(struct explain *e); /* idempotent */

void explain_print(struct text *out, const struct explain *e);
enum err_code explain_print_json(struct text *out, const struct explain *e, struct err *err);

#endif
