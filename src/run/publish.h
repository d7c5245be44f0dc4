/*
 * publish.h - DIR/results.h5 from the journal: /tables/NAME, /jobs, /attempts, /config and
 * /provenance (the fields of the last attempt).
 */
#ifndef RUN_PUBLISH_H
#define RUN_PUBLISH_H

#include "run/record.h"

/* Temp file and rename: the old file stays whole until the new one is. */
enum err_code publish_results(const struct record *r, struct err *err);

#endif
