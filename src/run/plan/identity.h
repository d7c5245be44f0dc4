/*
 * identity.h - the identity of a job: SHA-256 of everything that its result depends on.
 *
 * That is stage kind and version, the keys that can change a result, control, seed, the identities
 * of the jobs it reads, and the content (not the path) of every file it names.  Which keys count:
 * config_point_identifies().
 */
#ifndef RUN_PLAN_IDENTITY_H
#define RUN_PLAN_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "config/config.h"
#include "stages/stage.h"

struct identity_files; /* content hashes of files already read */

enum err_code identity_files_create(struct identity_files **out, struct err *err);
void identity_files_destroy(struct identity_files *f); /* NULL-safe */

size_t identity_files_count(const struct identity_files *f);
const char *identity_files_path(const struct identity_files *f, size_t i);
const char *identity_files_hash(const struct identity_files *f, size_t i);
const char *identity_files_find(const struct identity_files *f, const char *path); /* or NULL */

/* A record of the files, a line "HASH TRAINED_POINTS PATH" each, for the folder of the run.
 * record() adds the files of such a record: a plan made with them has the identities of then,
 * whatever the files hold by now. */
void identity_files_write(struct text *out, const struct identity_files *f);
enum err_code identity_files_record(struct identity_files *f, const char *inputs, struct err *err);

/* The hash of a recorded file that has other content now; NULL: it has not, cannot be read, or was
 * not recorded. And whether there is such a file. */
const char *identity_files_now(const struct identity_files *f, size_t i);
bool identity_files_changed(const struct identity_files *f);

/* The trained points of a recorded file that is gone or has other content now; else false. */
bool identity_files_trained(size_t *trained, const struct identity_files *f, const char *path);

/* Whether a file that this point names is gone or has other content than was recorded. */
bool identity_files_differ(const struct identity_files *f, const struct config_point *point);

struct identity_of {
    const struct stage *stage;
    const struct config_point *point;
    const char *control; /* or NULL */
    uint64_t seed;
    const char *inputs[JOB_PARENTS];
    size_t n_inputs;
};

/* ERR_CONFIG with the position of the key when a file cannot be read, or holds a NaN or an
 * infinity. scratch is cleared first. */
enum err_code identity_make(char out[HASH_HEX], const struct identity_of *of,
                            struct identity_files *files, struct text *scratch, struct err *err);

#endif
