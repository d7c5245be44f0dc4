/*
 * trained_on.h - what the model of a job was trained on, as far as the pretraining in the plan or
 * the metadata of the model's file tell.
 */
#ifndef RUN_PLAN_TRAINED_ON_H
#define RUN_PLAN_TRAINED_ON_H

#include "base/file.h"
#include "run/plan/plan.h"

enum { TRAINED_ON_NAME = 64 };

struct trained_on {
    char problem[TRAINED_ON_NAME]; /* "": unknown, as for imported models and jobs without one */
    long long points;              /* of a prompt; 0: unknown */
    char path[FILE_PATH_MAX];      /* the file that was read last, so that it is read once */
};

/* *out: {0}, or of an earlier job of the same plan. Cannot fail: what cannot be read is unknown. */
void trained_on_read(struct trained_on *out, const struct plan *p, size_t job);

#endif
