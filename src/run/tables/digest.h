/*
 * digest.h - one hash of everything that must not change between runs of the same config.
 *
 * It covers the jobs of the current plan, in plan order: identity, rows (exact values), and the
 * bytes of every tensor of the artifact.  Hosts, times, paths and notes are left out.
 */
#ifndef RUN_TABLES_DIGEST_H
#define RUN_TABLES_DIGEST_H

#include "base/hash.h"
#include "run/rundir/run_state.h"

/* Jobs that are not DONE enter with their identity alone; *left counts them. ERR_IO or ERR_DATA
 * when the artifact of a DONE job is missing or damaged. */
enum err_code digest_make(char out[HASH_HEX], size_t *left, const struct run_state *r,
                          struct err *err);

/* Add the rows of one job, and the tensors of one artifact, to a hash. */
void digest_rows(struct hash *h, const struct history_job *job);
enum err_code digest_tensors(struct hash *h, const char *path, struct err *err);

#endif
