/*
 * model_folder.h - the result of a pretraining on text as the folder of a language model, which
 * transformers and this program read: `taskvec artifact DIR JOB --model FOLDER`.
 *
 * The folder has config.json, model.safetensors with the published names in F16, and the files of
 * the tokenizer that the model was trained with. config.json comes last, so a folder that has it is
 * complete.
 */
#ifndef RUN_EXPORT_MODEL_FOLDER_H
#define RUN_EXPORT_MODEL_FOLDER_H

#include "run/export/artifact_text.h"

/* Appends a line on what was written. ERR_DATA where the artifact is no language model, its
 * tokenizer is gone or another one, the folder holds a model, or a weight is beyond F16. */
enum err_code model_folder_write(struct text *out, const char *folder, const struct run_state *r,
                                 const struct artifact_of *a, struct err *err);

#endif
