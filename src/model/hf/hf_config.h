/*
 * hf_config.h - the config.json of a Hugging Face folder: the sizes of the model, and what decides
 * whether it can be computed at all.
 *
 * Nothing that changes the computation is ignored: it is computed or refused (ERR_DATA, one line
 * with file, key and value). Keys that are absent have the family's default; sizes have none.
 */
#ifndef MODEL_HF_CONFIG_H
#define MODEL_HF_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "model/hf/hf_families.h"

enum hf_tie { HF_TIE_NOT_SAID, HF_TIE_NO, HF_TIE_YES };

struct hf_config {
    struct model_dims dims; /* but `tied`, which depends on the tensors: hf_model.h */
    const struct hf_family *family;
    enum hf_tie tie;       /* tie_word_embeddings */
    struct text defaulted; /* "rope_theta 10000, rms_norm_eps 1e-06": for printing; owned */
    struct text unread;    /* keys that no rule knows: "a, b"; owned */
};

/* Release with hf_config_release(). place: the file, for messages. */
enum err_code hf_config_parse(struct hf_config *out, const char *text, size_t size,
                              const char *place, struct err *err);
enum err_code hf_config_read(struct hf_config *out, const char *folder, struct err *err);
void hf_config_release(struct hf_config *c); /* idempotent */

#endif
