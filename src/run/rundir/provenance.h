/*
 * provenance.h - what computed a result: build, libraries, machine, command line.
 */
#ifndef RUN_RUNDIR_PROVENANCE_H
#define RUN_RUNDIR_PROVENANCE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/text.h"
#include "journal/history.h"
#include "run/plan/plan.h"

/* One fact per line, for --version. */
void provenance_versions(struct text *out);

/* What must be equal on all ranks and through all attempts for the bits to be the same: revision,
 * compiler, flags, BLAS core; one line. */
void provenance_machine(struct text *out);

enum { PROVENANCE_MAX = 48 };

struct provenance_field {
    const char *name; /* static */
    struct text value;
};

struct provenance {
    struct provenance_field fields[PROVENANCE_MAX];
    size_t n;
};

/* Fields of an attempt: build, libraries, machine, config (SHA-256 of the resolved text, which is
 * stored in DIR/configs), the files it names with their hashes, Slurm's numbers, command line.
 * `memory`: bytes a job may use. */
enum err_code provenance_make(struct provenance *out, const struct plan *p, size_t memory,
                              char *const *argv, struct err *err);
void provenance_release(struct provenance *p);

/* Names of all fields in the line of an attempt, those of the farm first. */
size_t provenance_fields(const char *const **names);

/* Appends the names of those that an attempt lacks: "hosts, libc"; nothing if it has all. */
void provenance_lacking(struct text *out, const struct history_attempt *a);

/* Number of an attempt whose line is damaged or missing, so that the build and core of its jobs are
 * unknown; 0: none. data: the journal of *h. */
size_t provenance_lost_attempt(const struct history *h, const char *data, size_t size);

/* ERR_CONFIG naming every field that differs, then and now, when an earlier attempt that finished a
 * job was made by another build, on another BLAS core, or with other products than those of the
 * plan (gemm, kernels of oneDNN), or is lost as above. */
enum err_code provenance_check(const struct history *h, const struct plan *p, const char *dir,
                               struct err *err);

#endif
