/*
 * hf_names.h - tensors of a language model by their published names, which vary between files: with
 * and without the prefix of the model inside ("transformer.", "gpt_neox.", "model."), and two
 * names of the output matrix.
 */
#ifndef MODEL_HF_NAMES_H
#define MODEL_HF_NAMES_H

#include <stdbool.h>

#include "tensorfile/tensor_set.h"

/* The tensor of a name of the family's row in any spelling, or NULL. */
const struct tensor_info *hf_names_find(const struct tensor_set *s, const char *name);

/* The output matrix, under either name; NULL: the file has none. */
const struct tensor_info *hf_names_output(const struct tensor_set *s);

/* Masks and frequencies that older files hold: computed, never read. */
bool hf_names_is_buffer(const char *name);

#endif
