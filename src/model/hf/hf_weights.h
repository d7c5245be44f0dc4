/*
 * hf_weights.h - the tensors of an open folder as the parameters of a model, without copies where
 * the file's numbers can be used as they are.
 */
#ifndef MODEL_HF_WEIGHTS_H
#define MODEL_HF_WEIGHTS_H

#include "model/hf/hf_model.h"
#include "model/params.h"

/* Matrices point into the mapped files, in floats or halves; vectors and small matrices in halves
 * are copied as floats. The result is read-only, and *m must stay open until params_destroy().
 * ERR_MEMORY. */
enum err_code hf_weights_place(struct params *out, const struct hf_model *m, struct err *err);

/* Bytes that hf_weights_place() allocates: what each rank has besides the mapped files. ERR_MEMORY.
 */
enum err_code hf_weights_allocated(size_t *bytes, const struct hf_model *m, struct err *err);

#endif
