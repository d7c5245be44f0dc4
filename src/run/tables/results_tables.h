/*
 * results_tables.h - writes DIR/results.h5 from the journal: /tables/STAGE, /jobs, /attempts,
 * /config and /provenance (the fields of the last attempt).  docs/results.md describes its columns.
 */
#ifndef RUN_TABLES_RESULTS_TABLES_H
#define RUN_TABLES_RESULTS_TABLES_H

#include "run/rundir/run_state.h"

/* Writes a temporary file and renames it, so that results.h5 is whole at any time. */
enum err_code results_tables_publish(const struct run_state *r, struct err *err);

#endif
