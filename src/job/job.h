/*
 * job.h - the interface between a stage and whatever runs its jobs.
 *
 * A stage gets its keys, its seed, its inputs and the functions below, and nothing else: no MPI, no
 * files, no clock.  The same stage code runs in the program itself, in a compute child, and in
 * tests with a host that keeps everything in arrays.  Everything a job produces goes through
 * job_row(), job_tensor() and job_note(); what it needs to continue after a kill goes through
 * job_checkpoint().
 */
#ifndef JOB_JOB_H
#define JOB_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "job/row.h"

struct config_point;
struct context_cache;

enum { JOB_TENSOR_RANK = 4, JOB_TENSOR_NAME = 96 };

struct job_tensor { /* row-major float32, not owned */
    const char *name;
    size_t rank, shape[JOB_TENSOR_RANK];
    const float *data;
};

/* A finished job that this one reads. */
struct job_input {
    const char *kind;                 /* its stage's kind: "pretrain", "fit" */
    const char *identity;             /* 64 hexadecimal digits */
    const struct config_point *point; /* its resolved keys */
    const char *artifact;             /* path of its safetensors file */
};

/* A file that the job reads by its path, with the SHA-256 that is part of the job's identity. */
struct job_file {
    const char *path, *hash;
};

struct job_ctx;

/* Implements the functions below: over the child's socket, in the program itself, or in a test.
 * Each may fail; ERR_STOPPED is not a failure of the job. Each may be called at any time of a job.
 */
struct job_host {
    enum err_code (*progress)(struct job_ctx *ctx, double done, double total, struct err *err);
    bool (*should_stop)(struct job_ctx *ctx);
    enum err_code (*row)(struct job_ctx *ctx, size_t number, const struct job_value *cells,
                         size_t n, struct err *err);
    enum err_code (*tensor)(struct job_ctx *ctx, const struct job_tensor *t, struct err *err);
    enum err_code (*note)(struct job_ctx *ctx, const char *key, const char *value, struct err *err);
    enum err_code (*checkpoint)(struct job_ctx *ctx, const char *state,
                                const struct job_tensor *tensors, size_t n, struct err *err);
    enum err_code (*restore)(struct job_ctx *ctx, const char **state,
                             const struct job_tensor **tensors, size_t *n, struct err *err);
    enum err_code (*send)(struct job_ctx *ctx, int to, const void *data, size_t size,
                          struct err *err);
    enum err_code (*receive)(struct job_ctx *ctx, int from, void *data, size_t size,
                             struct err *err);
    enum err_code (*shards)(struct job_ctx *ctx, size_t first, size_t n, struct err *err);
};

struct job_ctx {
    const struct job_host *host;
    void *state;                       /* the host's own */
    const struct config_point *point;  /* the resolved keys of this job */
    const struct job_columns *columns; /* of its stage's table */
    uint64_t seed;                     /* the run's seed: the key of every stream */
    const char *identity;
    bool onednn;         /* products in f32 by oneDNN instead of OpenBLAS: of the whole run */
    const char *kernel;  /* of oneDNN on rank 0, which this process must have too; NULL: not used */
    const char *control; /* evaluate: the method of its key `also` that this job is for, or NULL */
    const struct job_input *inputs;
    size_t n_inputs;
    const struct job_file *files;
    size_t n_files;
    struct context_cache *contexts; /* of the process, for the keys and values of prompts; NULL: the
                                       job shares none */
    size_t memory; /* bytes this job may use: decides what is cached, never the result */
    int group_rank, group_size; /* 0 of 1 for most jobs */
    bool shards_told;           /* job.c's own; false at first */
};

/* done of total, in any unit. It is also the sign of life that the supervisor waits for: call it at
 * least every few seconds of computing. */
enum err_code job_progress(struct job_ctx *ctx, double done, double total, struct err *err);

/* True once the run is to stop: checkpoint, then return ERR_STOPPED. Cheap: ask at every step. All
 * ranks of a group get the same answer at the same step only through job_agree_to_stop(). */
bool job_should_stop(struct job_ctx *ctx);

/* Row `number` (0, 1, ...) of this job in its stage's table; the same number again replaces it, as
 * after a resume from a checkpoint. In a group only rank 0 calls it. ERR_BUG where the cells are
 * not those of ctx->columns; stages fill a struct by name instead, see row.h. */
enum err_code job_row(struct job_ctx *ctx, size_t number, const struct job_value *cells, size_t n,
                      struct err *err);

/* A result array, copied. All of a job's tensors and notes become one sealed safetensors file. In a
 * group only rank 0 calls it. */
enum err_code job_tensor(struct job_ctx *ctx, const struct job_tensor *t, struct err *err);
enum err_code job_note(struct job_ctx *ctx, const char *key, const char *value, struct err *err);

/* Durable state under this job's identity; replaces the one before. In a group only rank 0 calls
 * it. */
enum err_code job_checkpoint(struct job_ctx *ctx, const char *state,
                             const struct job_tensor *tensors, size_t n, struct err *err);

/* The newest checkpoint, or *state = NULL. What it points to lives until the job ends. Collective
 * over the group, and the same on every rank of it: ERR_IO where a rank sees another one. */
enum err_code job_restore(struct job_ctx *ctx, const char **state,
                          const struct job_tensor **tensors, size_t *n, struct err *err);
const struct job_tensor *job_find_tensor(const struct job_tensor *tensors, size_t n,
                                         const char *name); /* NULL: none of that name */
/* Copies a vector of `size` numbers to out; ERR_DATA if no tensor has this name and size. */
enum err_code job_copy_tensor(float *out, const struct job_tensor *tensors, size_t n,
                              const char *name, size_t size, struct err *err);

/* ---- groups: the ranks that work on this job. Work is cut into shards, a number from the config.
 */

/* Contiguous range of shards that `rank` of `size` computes; may be empty. */
void job_shard_range(size_t *first, size_t *count, size_t shards, int rank, int size);

/* Sums sum[s][0..n) over all shards in a fixed binary tree over shard numbers, so the bits do not
 * depend on the group. On entry sum holds this rank's shards only, one after the other ([count,
 * n]); on return sum[0..n) holds the total on every rank of the group. Collective over the group.
 * Also journals, once, which shards this rank computed. scratch [n]. */
enum err_code job_reduce(struct job_ctx *ctx, float *sum, float *scratch, size_t n, size_t shards,
                         struct err *err);
enum err_code job_reduce_real(struct job_ctx *ctx, double *sum, double *scratch, size_t n,
                              size_t shards, struct err *err);

/* True on every rank of the group if job_should_stop() is true on rank 0. Collective. */
enum err_code job_agree_to_stop(struct job_ctx *ctx, bool *stop, struct err *err);

#endif
