/*
 * checkpoint.h - a model as a safetensors file with the published names.
 *
 * Sizes come from the tensors; what tensors cannot tell from the metadata, as decimal text: n_head
 * (needed), layer_norm_epsilon (1e-5 when absent), trained_points.  What published files hold
 * besides the weights is passed over: _backbone.wte.weight, attn.bias and attn.masked_bias.  Read
 * files stay mapped, read-only: all ranks of a node share one copy when tensors are aligned.
 */
#ifndef MODEL_CHECKPOINT_H
#define MODEL_CHECKPOINT_H

#include "model/params.h"
#include "tensorfile/tensorfile.h"

struct model {
    struct params params;  /* points into `file` if all is F32 and aligned to 64 bytes, else owned;
                              read-only either way */
    size_t trained_points; /* longest prompt of the pretraining, from the metadata; 0: unknown */
    struct tensorfile *file;
    float *wpe; /* [positions, E] after model_redraw_positions(), else NULL: those of the file */
};

/* ERR_DATA for a missing, superfluous or misshapen tensor, naming it, what was found and wanted. */
enum err_code model_open(struct model *m, const char *path, struct err *err);
void model_close(struct model *m);

/* Position rows that no prompt of the pretraining reached, from 2 trained_points on, drawn anew as
 * they were initialised, N(0, .02^2): a pure function of (seed, row, column). */
enum err_code model_redraw_positions(struct model *m, uint64_t seed, struct err *err);

/* Only the sizes, for `plan`; names and shapes are checked as by model_open, no number is read. */
enum err_code model_read_dims(struct model_dims *out, size_t *trained_points, const char *path,
                              struct err *err);

/* What a writer adds to the metadata beside the tensors of params_at(). */
enum { MODEL_NOTES = 3 };
struct model_note {
    const char *key; /* static */
    char value[32];
};
void model_describe(struct model_note out[MODEL_NOTES], const struct model_dims *dims,
                    size_t trained_points);

#endif
