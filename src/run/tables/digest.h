/*
 * digest.h - one hash of everything that must not change between runs of the same config.
 *
 * Over the jobs of the current plan, in plan order: identity, rows (exact values), and the bytes of
 * every tensor of the artifact.  Hosts, times, paths and notes are not in it.
 */
#ifndef RUN_TABLES_DIGEST_H
#define RUN_TABLES_DIGEST_H

#include "base/hash.h"
#include "run/rundir/run_state.h"

/* Jobs that are not DONE count with their identity alone; *left says how many. ERR_IO or ERR_DATA
 * when the artifact of a DONE job is missing or damaged. */
enum err_code digest_make(char out[HASH_HEX], size_t *left, const struct run_state *r,
                          struct err *err);

/* One job's rows; and the tensors of one artifact. */
void digest_rows(struct hash *h, const struct history_job *job);
enum err_code digest_tensors(struct hash *h, const char *path, struct err *err);

#endif
