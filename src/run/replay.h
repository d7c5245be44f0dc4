/*
 * replay.h - one job computed again, here, in one process, with everything it gives kept in memory.
 */
#ifndef RUN_REPLAY_H
#define RUN_REPLAY_H

#include "run/plan.h"
#include "sched/history.h"
#include "sched/job.h"

struct replay_tensor {
    char name[JOB_TENSOR_NAME];
    size_t rank, shape[JOB_TENSOR_RANK], n;
    float *data;
};

struct replay {
    struct history_row *rows; /* cells and texts owned */
    size_t n_rows, rows_capacity;
    struct replay_tensor *tensors;
    size_t n_tensors, tensors_capacity;
};

/* Runs a job of the plan; its inputs' artifacts are read from `dir`, nothing is written. */
enum err_code replay_run(struct replay *out, const struct plan *p, size_t job, const char *dir,
                         size_t memory, struct err *err);
void replay_release(struct replay *r); /* idempotent */

/* The first difference, bit for bit, from what the journal and the artifact hold: ERR_DIFFERS
 * naming row and column, or tensor and element. */
enum err_code replay_compare(const struct replay *r, const struct plan *p, size_t job,
                             const struct history_job *past, const char *dir, struct err *err);

#endif
