/*
 * host_twin.h - a job_host that stores what a stage reports in arrays, for tests of stages. The
 * ranks of a group are threads.
 *
 * Several attempts at one job may follow each other; the checkpoint stays until
 * host_twin_destroy().
 */
#ifndef TWINS_HOST_TWIN_H
#define TWINS_HOST_TWIN_H

#include <stddef.h>

#include "job/job.h"

enum { HOST_TWIN_RANKS = 8, HOST_TWIN_REPORTS = 256 };

struct host_twin;

struct host_twin *host_twin_create(int ranks);
void host_twin_destroy(struct host_twin *h);

/* The context of one rank; the caller fills point, seed, inputs, memory and control. */
struct job_ctx *host_twin_ctx(struct host_twin *h, int rank);

/* job_should_stop() returns true on rank 0 after this many calls; never by default. */
void host_twin_stop_after(struct host_twin *h, size_t answers);

/* One attempt: drops rows, tensors and notes, and calls `work` on every rank, each in a thread.
 * Returns the error of a rank that failed by itself, rather than that of ranks that waited for it.
 */
typedef enum err_code (*host_twin_work)(struct job_ctx *ctx, void *context, struct err *err);
enum err_code host_twin_run(struct host_twin *h, host_twin_work work, void *context,
                            struct err *err);

size_t host_twin_rows(const struct host_twin *h); /* highest row number + 1 */
const struct job_value *host_twin_row(const struct host_twin *h, size_t number, size_t *n);
const struct job_tensor *host_twin_tensor(const struct host_twin *h, const char *name);
size_t host_twin_tensors(const struct host_twin *h);
const struct job_tensor *host_twin_tensor_at(const struct host_twin *h, size_t i);
const char *host_twin_note(const struct host_twin *h, const char *key); /* NULL: none */
size_t host_twin_notes(const struct host_twin *h);
void host_twin_note_at(const struct host_twin *h, size_t i, const char **key, const char **value);
/* What rank 0 reported in the last attempt, each from 0 to 1; the first HOST_TWIN_REPORTS
 * reports. */
size_t host_twin_progress(const double **out, const struct host_twin *h);
size_t host_twin_checkpoints(const struct host_twin *h);           /* written so far */
size_t host_twin_shards(const struct host_twin *h, int rank);      /* as the rank reported */
size_t host_twin_shards_told(const struct host_twin *h, int rank); /* reports in the last attempt */

/* Writes tensors and notes as an artifact, which other jobs can read (host_artifact.c). */
enum err_code host_twin_save(const struct host_twin *h, const char *path, struct err *err);

/* Do two hosts hold the same rows and tensors, bit for bit? */
bool host_twin_same(const struct host_twin *a, const struct host_twin *b);

#endif
