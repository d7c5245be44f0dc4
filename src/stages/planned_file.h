/*
 * planned_file.h - the content that a job reads is the content that it was planned with.
 *
 * The identity of a job has the hash of every file that it reads by path. A file that is replaced
 * between the plan and the job would give numbers of another model under that identity.
 */
#ifndef STAGES_PLANNED_FILE_H
#define STAGES_PLANNED_FILE_H

#include "job/job.h"
#include "tensorfile/tensorfile.h"

/* ERR_DATA, with both hashes, if the content of `f`, which was opened by this path, is not the
 * planned one. A path that is not among ctx->files is not checked. To be called after reading. */
enum err_code planned_file_check(const struct job_ctx *ctx, const char *path,
                                 const struct tensorfile *f, struct err *err);

/* ERR_DATA if one of the files that were checked has been written to since then: what is mapped
 * changes with it; or if a folder, a task or a tokenizer is not what was planned. To be called when
 * the job is done. */
enum err_code planned_files_recheck(const struct job_ctx *ctx, struct err *err);

#endif
