/*
 * hf_rotary.h - the rotary settings of a config.json in both published spellings: keys of their own
 * with an object rope_scaling (transformers 4), or all in an object rope_parameters (transformers
 * 5).
 */
#ifndef MODEL_HF_ROTARY_H
#define MODEL_HF_ROTARY_H

#include "model/hf/hf_families.h"
#include "model/hf/hf_keys.h"
#include "ops/rotary.h"

/* head_width: D. ERR_DATA for spellings that disagree, kinds of scaling that are not computed
 * (dynamic, yarn, longrope, ...), unknown settings and sizes that do not fit D. */
enum err_code hf_rotary_read(struct rotary_dims *out, const struct hf_source *s,
                             const struct hf_family *family, size_t head_width, struct err *err);

#endif
