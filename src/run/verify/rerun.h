/*
 * rerun.h - one job computed again, here, in one process, with everything it gives kept in memory.
 */
#ifndef RUN_VERIFY_RERUN_H
#define RUN_VERIFY_RERUN_H

#include "job/job.h"
#include "journal/history.h"
#include "run/plan/plan.h"

struct rerun_tensor {
    char name[JOB_TENSOR_NAME];
    size_t rank, shape[JOB_TENSOR_RANK], n;
    float *data;
};

struct rerun {
    struct history_row *rows; /* cells and texts owned */
    size_t n_rows, rows_capacity;
    struct rerun_tensor *tensors;
    size_t n_tensors, tensors_capacity;
};

/* Runs a job of the plan; its inputs' artifacts are read from `dir`, nothing is written. */
enum err_code rerun_job(struct rerun *out, const struct plan *p, size_t job, const char *dir,
                        size_t memory, struct err *err);
void rerun_release(struct rerun *r); /* idempotent */

/* The first difference, bit for bit, from what the journal and the artifact hold: ERR_DIFFERS
 * naming row and column, or tensor and element. */
enum err_code rerun_compare(const struct rerun *r, const struct plan *p, size_t job,
                            const struct history_job *past, const char *dir, struct err *err);

#endif
