/*
 * status_print.h - how far a run is, for people, for scripts, and in one line.
 */
#ifndef RUN_STATUS_PRINT_H
#define RUN_STATUS_PRINT_H

#include "base/text.h"
#include "run/progress.h"

void status_print(struct text *out, const struct record *r, const struct progress *p);
enum err_code status_print_json(struct text *out, const struct record *r, const struct progress *p,
                                struct err *err);

/* "2026-11-22T19:46:00Z  12 of 60 jobs done, 3 running, 1 failed, 4 min 10 s to go" */
void status_print_line(struct text *out, const struct record *r, const struct progress *p);

/* Why a job is FAILED: "nan", and the reason; "lost" for one that ran while attempts died. */
const char *status_class(const struct record_job *job);
const char *status_reason(const struct record_job *job);

#endif
