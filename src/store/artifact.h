/*
 * artifact.h - the two files of a job: its artifact (results) and its checkpoint, both safetensors.
 *
 *     DIR/artifacts/ab/IDENTITY.safetensors      (ab: first two digits, 256 folders)
 *     DIR/checkpoints/IDENTITY.safetensors
 *
 * Both are written to a temporary file, synced and renamed.  An artifact counts once the journal
 * has the DONE line of its job; artifact_clean() deletes the others at the start of an attempt.
 */
#ifndef STORE_ARTIFACT_H
#define STORE_ARTIFACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "job/job.h"
#include "journal/history.h"

struct artifact_note {
    const char *key, *value;
};

struct artifact_seal { /* what a DONE line records of the file */
    uint64_t bytes;
    char sha256[HASH_HEX];
};

/* Path of the artifact or checkpoint of a job, whether or not it exists. ERR_IO: path too long. */
enum err_code artifact_path(char out[FILE_PATH_MAX], const char *dir, const char *identity,
                            struct err *err);
enum err_code checkpoint_path(char out[FILE_PATH_MAX], const char *dir, const char *identity,
                              struct err *err);

/* Writes the file durably, reads it back, and fills *seal. */
enum err_code artifact_write(struct artifact_seal *seal, const char *dir, const char *identity,
                             const struct job_tensor *tensors, size_t n_tensors,
                             const struct artifact_note *notes, size_t n_notes, struct err *err);

/* A checkpoint: the job's state, its tensors, and the journal lines of the rows it wrote so far.
 * They are sent again after a restore, so that no row is lost with the attempt that computed it. */
struct checkpoint {
    const char *state, *rows;
    size_t n_rows;
    double done, total;
    const struct job_tensor *tensors;
    size_t n_tensors;
};

enum err_code checkpoint_write(const char *dir, const char *identity, const struct checkpoint *c,
                               struct err *err);

/* Reads the checkpoint into *out; out->state is NULL if there is none. *hold owns what *out points
 * to until checkpoint_close(). ERR_DATA where the checksum does not match. */
struct checkpoint_hold;
enum err_code checkpoint_read(struct checkpoint *out, struct checkpoint_hold **hold,
                              const char *dir, const char *identity, struct err *err);
void checkpoint_close(struct checkpoint_hold *hold); /* NULL-safe */
void checkpoint_remove(const char *dir, const char *identity);

/* True if the artifact of a DONE job exists with the size in its DONE line. */
bool artifact_present(const char *dir, const struct history_job *job);
/* The same, and its checksum is that of the DONE line: reads the whole file. */
bool artifact_sound(const char *dir, const struct history_job *job);

/* At the start of an attempt, under the lock: deletes temporary files (of results.h5 and configs
 * too), artifacts without a DONE line and checkpoints of DONE jobs. *removed counts files. */
enum err_code artifact_clean(size_t *removed, const char *dir, const struct history *h,
                             struct err *err);

#endif
