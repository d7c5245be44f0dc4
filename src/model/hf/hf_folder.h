/*
 * hf_folder.h - the files of a model folder, and what to do about those that are not read.
 */
#ifndef MODEL_HF_FOLDER_H
#define MODEL_HF_FOLDER_H

#include "base/err.h"

/* ERR_DATA if the path is no folder, if it holds weights in another format alone
 * (pytorch_model.bin, GGUF, ...) or tokenizer.model without tokenizer.json: the message gives the
 * command that converts it. */
enum err_code hf_folder_check(const char *folder, struct err *err);

#endif
