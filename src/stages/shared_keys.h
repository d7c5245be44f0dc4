/*
 * shared_keys.h - configuration keys that several stages share, and how they are read.
 */
#ifndef STAGES_SHARED_KEYS_H
#define STAGES_SHARED_KEYS_H

#include "model/dims.h"
#include "ops/context_attention.h"
#include "stages/stage.h"

/* Rows of every family in `uses` (enum stage_uses). */
enum err_code shared_keys_add(struct config_schema *out, unsigned uses, struct err *err);

/* Sizes of a model to be made: STAGE_USES_SHAPE and STAGE_USES_SOURCE. */
void shared_keys_shape(struct model_dims *out, const struct config_point *point);

/* ERR_CONFIG unless heads divide width. */
enum err_code shared_keys_check_shape(const struct config_point *point, struct err *err);

/* ERR_CONFIG unless `points` points (the value of `key`) fit the model's positions. */
enum err_code shared_keys_check_points(const struct config_point *point, const char *key,
                                       size_t points, const struct model_dims *dims,
                                       struct err *err);

/*
 * ERR_CONFIG when `prompts` prompts of `points` points at once would need more memory than any
 * machine has. Before anything counts bytes in a size_t: the product of allowed keys may not fit.
 */
enum err_code shared_keys_check_room(const struct config_point *point, size_t prompts,
                                     size_t points, const struct model_dims *dims, struct err *err);

/* ERR_CONFIG where the key `group` asks for more ranks than there are shards. */
enum err_code shared_keys_check_group(const struct config_point *point, size_t shards,
                                      struct err *err);

/* The key `contexts`: STAGE_USES_CONTEXTS. */
enum context_precision shared_keys_contexts(const struct config_point *point);

/* The key `chunk`, where n is all there is. */
size_t shared_keys_chunk(const struct config_point *point, size_t n);

size_t shared_keys_size(const struct config_point *point, const char *key); /* an INT key >= 0 */

#endif
