/*
 * rerun.h - recomputes one finished job in this process and compares it with the record (`verify
 * DIR`).
 *
 * Rows and tensors are kept in memory; nothing is written.
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

/* Runs a job of the plan; it reads the artifacts of its parents from `dir`. */
enum err_code rerun_job(struct rerun *out, const struct plan *p, size_t job, const char *dir,
                        size_t memory, struct err *err);
void rerun_release(struct rerun *r); /* idempotent */

/* Compares bit for bit with the journal and the artifact. ERR_DIFFERS: the first difference, with
 * its row and column or tensor and element. */
enum err_code rerun_compare(const struct rerun *r, const struct plan *p, size_t job,
                            const struct history_job *past, const char *dir, struct err *err);

#endif
