/*
 * explain_print.h - what `explain` found out about a job, as text or JSON.
 */
#ifndef CLI_EXPLAIN_PRINT_H
#define CLI_EXPLAIN_PRINT_H

#include "run/rundir/explain.h"

void explain_print(struct text *out, const struct explain *e);
enum err_code explain_print_json(struct text *out, const struct explain *e, struct err *err);

#endif
