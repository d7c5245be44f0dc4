/*
 * hf_refusals.h - keys of a config.json that change the computation in ways that are not computed:
 * neutral values pass, others are refused by name; and the keys that no rule knows.
 */
#ifndef MODEL_HF_REFUSALS_H
#define MODEL_HF_REFUSALS_H

#include "model/hf/hf_families.h"
#include "model/hf/hf_keys.h"

/* ERR_DATA for quantised weights and for computations such as clip_qkv. */
enum err_code hf_refusals_check(const struct hf_source *s, struct err *err);

/* The width of the sliding window that is in use in some layer; 0: none. ERR_DATA for kinds of
 * layers other than full and sliding attention. */
enum err_code hf_window_read(size_t *out, const struct hf_source *s, const struct hf_family *family,
                             size_t layers, struct err *err);

/* "a, b": neither read nor known to be without effect. */
void hf_unread_keys(struct text *out, struct json root);

#endif
