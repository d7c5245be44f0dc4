/*
 * coordinator_faults.h - faults (inject.h) injected into rank 0's supervisor, or into all
 * processes.
 */
#ifndef PAR_COORDINATOR_FAULTS_H
#define PAR_COORDINATOR_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "par/coordinator.h"

/* Whether a fault at a job is injected into the coordinator instead of a rank of the job's
 * group. */
bool fault_is_coordinators(enum inject_kind kind);

/* Carries out the coordinator's fault at this job, if there is one; the job has been dispatched. */
enum err_code fault_at_job(struct coordinator *c, size_t job, struct err *err);

/* Writes one whole line to the journal with this fault: while it is written, or after it. */
enum err_code fault_at_line(struct coordinator *c, enum inject_kind kind, const char *line,
                            size_t size, struct err *err);

#endif
