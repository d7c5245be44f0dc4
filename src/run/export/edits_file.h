/*
 * edits_file.h - the vector of a job and the edits that read it, as one safetensors file that needs
 * nothing of this program: `taskvec artifact DIR JOB --edits FILE`.
 *
 * Metadata "taskvec_edits" is a JSON object with the edits; an edit reads parts of the vector by
 * their offset in it. The tensor "vector" holds it where every prompt has the same; otherwise
 * "weights" and the activations of a basis prompt make it, by the formula of the method.
 * docs/results.md, section "Edits", describes the format; analysis/apply_vector.py reads it.
 */
#ifndef RUN_EXPORT_EDITS_FILE_H
#define RUN_EXPORT_EDITS_FILE_H

#include "run/rundir/run_state.h"

/* job: of the plan; a DONE fit, a choice of one, or an evaluation of one or of a control. Appends a
 * line on what was written. ERR_DATA where the job has no edits or the files that it reads are
 * gone. */
enum err_code edits_file_write(struct text *out, const char *path, const struct run_state *r,
                               size_t job, struct err *err);

#endif
