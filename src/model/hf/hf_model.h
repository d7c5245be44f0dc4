/*
 * hf_model.h - a Hugging Face folder: its config.json and the tensor of the file that each tensor
 * of the model is, checked against each other. Opening reads config.json and headers; no weight is
 * touched, but the output matrix where it may be the embedding.
 */
#ifndef MODEL_HF_MODEL_H
#define MODEL_HF_MODEL_H

#include "model/hf/hf_config.h"
#include "tensorfile/tensor_set.h"

struct hf_model {
    struct hf_config config; /* with dims.tied */
    struct tensor_set *set;
    const struct tensor_info **tensors; /* [params_tensors()], in the order of params_at() */
};

/* ERR_DATA for a folder that hf_folder_check() or hf_config_read() refuses, for a tensor that is
 * missing, misshapen or of another type than F32, F16 and BF16, and for an output matrix that
 * contradicts tie_word_embeddings. */
enum err_code hf_model_open(struct hf_model *out, const char *folder, struct err *err);
void hf_model_close(struct hf_model *m); /* idempotent */

/* ERR_DATA for the first NaN or infinity in a tensor of the model, with the tensor's name. Reads
 * all weights, at the speed of memory (0.3 s a GB) where the files are cached, once a process for
 * as long as the files stay the same. For `doctor`, `verify` and the jobs of a run, but not for
 * `plan`, which reads headers alone. */
enum err_code hf_model_check_finite(const struct hf_model *m, struct err *err);

/* "a, b, c": tensors of the files that the model does not use, but for known buffers. Returns how
 * many; *out names up to `most`. */
size_t hf_model_unused(struct text *out, const struct hf_model *m, size_t most);

/* "BF16", or "F16 and F32". */
void hf_model_types(struct text *out, const struct hf_model *m);

size_t hf_model_bytes(const struct hf_model *m); /* of the tensors of the model in the files */

#endif
