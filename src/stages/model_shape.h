/*
 * model_shape.h - the keys "model.*" of a model that is to be trained: STAGE_USES_SHAPE, with
 * STAGE_USES_SOURCE, since what the model reads is what the source's prompts are made of.
 */
#ifndef STAGES_MODEL_SHAPE_H
#define STAGES_MODEL_SHAPE_H

#include "base/text.h"
#include "config/config.h"
#include "model/dims.h"

enum err_code model_shape_schema(struct config_schema *out, struct err *err);

/* ERR_CONFIG for sizes that do not fit together; of language models also what their tokenizer is
 * refused for. */
enum err_code model_shape_read(struct model_dims *out, const struct config_point *point,
                               struct err *err);

/* The config.json of a language model of these keys. */
enum err_code model_shape_config(struct text *out, const struct config_point *point,
                                 struct err *err);

#endif
