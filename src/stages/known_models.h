/*
 * known_models.h - models that this process has read for a plan: thousands of jobs read one model,
 * and the headers of its files and the names of its tensors take longer than the rest of a plan.
 */
#ifndef STAGES_KNOWN_MODELS_H
#define STAGES_KNOWN_MODELS_H

#include "stages/job_model.h"

/* *out: what job_model_plan() needs of the model file or Hugging Face folder `path`: read, or read
 * before if the files are the same (inode, size, time). ERR_DATA as model_read_dims() and
 * folder_model_plan(). */
enum err_code known_models_read(struct job_model *out, const char *path, struct err *err);

#endif
