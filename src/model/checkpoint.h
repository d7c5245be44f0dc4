/*
 * checkpoint.h - a model as a safetensors file with the published names.
 *
 * Shapes come from the tensors; `n_head` and `layer_norm_epsilon` from the metadata (written by
 * us). Read files stay mapped, read-only: all ranks of a node share one copy when tensors are
 * aligned.
 */
#ifndef MODEL_CHECKPOINT_H
#define MODEL_CHECKPOINT_H

#include "model/params.h"
#include "tensorfile/tensorfile.h"

struct model {
    struct params params;  /* points into `file` where aligned, else owned: read-only either way */
    size_t trained_points; /* longest prompt of the pretraining, from the metadata; 0: unknown */
    struct tensorfile *file;
};

/* ERR_DATA for a missing, superfluous or misshapen tensor, naming it, what was found and wanted. */
enum err_code model_open(struct model *m, const char *path, struct err *err);
void model_close(struct model *m);

/* Only the sizes, cheaply, for `plan`. */
enum err_code model_read_dims(struct model_dims *out, size_t *trained_points, const char *path,
                              struct err *err);

#endif
