/*
 * results_tables.h - DIR/results.h5 from the journal: /tables/NAME, /jobs, /attempts, /config and
 * /provenance (the fields of the last attempt).
 */
#ifndef RUN_TABLES_RESULTS_TABLES_H
#define RUN_TABLES_RESULTS_TABLES_H

#include "run/rundir/run_state.h"

/* Temp file and rename: the old file stays whole until the new one is. */
enum err_code results_tables_publish(const struct run_state *r, struct err *err);

#endif
