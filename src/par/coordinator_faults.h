/*
 * coordinator_faults.h - the faults on demand (inject.h) that are the coordinator's to carry out.
 */
#ifndef PAR_COORDINATOR_FAULTS_H
#define PAR_COORDINATOR_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "par/coordinator.h"

/* Of a job, but not for the rank that gets it. */
bool fault_is_ours(enum inject_kind kind);

/* The job has just been handed out. */
enum err_code fault_of_job(struct coordinator *c, size_t job, struct err *err);

/* One whole line to the journal and to the disk, with this fault while that is done or behind it.
 */
enum err_code fault_at_line(struct coordinator *c, enum inject_kind kind, const char *line,
                            size_t size, struct err *err);

#endif
