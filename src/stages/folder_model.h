/*
 * folder_model.h - a Hugging Face folder as the model of a job.
 */
#ifndef STAGES_FOLDER_MODEL_H
#define STAGES_FOLDER_MODEL_H

#include "stages/job_model.h"

/* ERR_DATA for a folder that model/hf refuses. */
enum err_code folder_model_plan(struct job_model *out, const char *folder, struct err *err);

/* The same, and ERR_DATA if the folder has other content than when the run was planned. */
enum err_code folder_model_open(struct model *out, const struct job_ctx *ctx, const char *folder,
                                struct err *err);

/* The hash of the folder with which the job was planned; "" if the job names no such folder. */
const char *folder_model_hash(const struct job_ctx *ctx, const char *folder);

#endif
