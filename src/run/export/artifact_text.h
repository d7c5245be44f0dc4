/*
 * artifact_text.h - the artifact of one job for people and programs: its path, tensors with their
 * meaning, and metadata.
 */
#ifndef RUN_EXPORT_ARTIFACT_TEXT_H
#define RUN_EXPORT_ARTIFACT_TEXT_H

#include "base/file.h"
#include "run/plan/job_find.h"
#include "run/rundir/run_state.h"
#include "tensorfile/tensorfile.h"

struct artifact_of { /* an open artifact */
    struct job_found found;
    const char *label; /* "fit[3]", or "no longer planned" */
    const char *stage; /* kind of its stage; "": not planned */
    char path[FILE_PATH_MAX];
    struct tensorfile *file;
};

/* word: a label, a line of the plan, or the beginning of an identity (job_find.h). ERR_USAGE where
 * it names no job; ERR_DATA where the job has no artifact. *r must outlive *out. */
enum err_code artifact_of_open(struct artifact_of *out, const struct run_state *r, const char *word,
                               struct err *err);
void artifact_of_close(struct artifact_of *a);

void artifact_text(struct text *out, const struct artifact_of *a);
enum err_code artifact_json(struct text *out, const struct artifact_of *a, struct err *err);

#endif
