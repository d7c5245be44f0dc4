/*
 * checkpoint.h - a regression model as a safetensors file with the published names.
 *
 * Sizes come from the shapes of the tensors.  The metadata gives, as decimal text, what shapes do
 * not determine: n_head (required), layer_norm_epsilon (1e-5 when absent), trained_points; and for
 * models without learned positions position_encoding ("rotary" or "none"), n_positions and, of
 * rotary positions, rope_theta.  Tensors of published files that carry no weights are ignored:
 * _backbone.wte.weight (unused by Garg's models), attn.bias and attn.masked_bias (masks).  Files
 * stay mapped read-only, so that all ranks of a node share one copy if the tensors are aligned.
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
    float *wpe;   /* [positions, E] after model_redraw_positions(); NULL: as in the file */
    void *lender; /* what the tensors belong to instead of `file`; model_close() calls */
    void (*lender_close)(void *lender); /* this for it. NULL: there is none */
};

/* ERR_DATA for a missing, unknown or misshapen tensor; the message names it, what was found and
 * what was expected. */
enum err_code model_open(struct model *m, const char *path, struct err *err);
void model_close(struct model *m); /* idempotent */

/* The same of a file whose sizes are known otherwise, as those of a language model that was trained
 * here are. */
enum err_code model_open_as(struct model *m, const char *path, const struct model_dims *dims,
                            struct err *err);

/* Redraws the position rows that no prompt of the pretraining reached, from row 2 trained_points
 * on, from the distribution of their initialisation, N(0, .02^2): a pure function of (seed, row,
 * column). For models with learned positions. ERR_MEMORY. */
enum err_code model_redraw_positions(struct model *m, uint64_t seed, struct err *err);

/* Only the sizes, for `plan`. Names and shapes are checked as by model_open(); no weight is read.
 */
enum err_code model_read_dims(struct model_dims *out, size_t *trained_points, const char *path,
                              struct err *err);

/* The metadata that a checkpoint needs besides the tensors of params_at(). */
enum { MODEL_NOTES = 6 };
struct model_note {
    const char *key; /* static */
    char value[32];
};
/* Fills out with those of a model of these sizes and returns their number, at most MODEL_NOTES;
 * trained_points 0: unknown. */
size_t model_describe(struct model_note out[MODEL_NOTES], const struct model_dims *dims,
                      size_t trained_points);

#endif
