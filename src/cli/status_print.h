/*
 * status_print.h - the progress of a run as text, as JSON, and in one line.
 */
#ifndef CLI_STATUS_PRINT_H
#define CLI_STATUS_PRINT_H

#include "base/text.h"
#include "run/rundir/progress.h"

void status_print(struct text *out, const struct run_state *r, const struct progress *p);
enum err_code status_print_json(struct text *out, const struct run_state *r,
                                const struct progress *p, struct err *err);

/* "2026-11-22T19:46:00Z  12 of 60 jobs done, 3 running, 1 failed, 4 min 10 s to go" */
void status_print_line(struct text *out, const struct run_state *r, const struct progress *p);

#endif
