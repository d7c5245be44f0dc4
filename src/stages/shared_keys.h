/*
 * shared_keys.h - the keys that several stages share: their rows, how they are read, and the checks
 * of plan() that go with them.
 *
 * A stage gets a family of keys by naming it in `uses` (enum stage_uses in stage.h). To add a key
 * to one family, add a row in shared_keys.c; to add a key to every stage, add its rows in
 * shared_keys_add() without a condition.
 */
#ifndef STAGES_SHARED_KEYS_H
#define STAGES_SHARED_KEYS_H

#include "model/dims.h"
#include "ops/context_attention.h"
#include "ops/products.h"
#include "stages/stage.h"

/* Rows of a stage's own table of keys that differ in their text alone. */
#define SHARED_KEY_CHUNK(text)                                                                     \
    {                                                                                              \
        .name = "chunk", .type = CONFIG_INT, .min = 1, .max = 1e5, .def = "128",                   \
        .unit = "prompts", .meaning = (text)                                                       \
    }
#define SHARED_KEY_BASIS_POINTS(text)                                                              \
    {                                                                                              \
        .name = "basis_points", .type = CONFIG_INT, .max = 1e6, .def = "0", .unit = "points",      \
        .meaning = (text)                                                                          \
    }
#define SHARED_KEY_CONFIDENCE(text)                                                                \
    {                                                                                              \
        .name = "confidence", .type = CONFIG_FLOAT, .min = 0.5, .max = 0.9999, .def = "0.95",      \
        .unit = "", .meaning = (text)                                                              \
    }

/* Appends the rows of every family in `uses`. */
enum err_code shared_keys_add(struct config_schema *out, unsigned uses, struct err *err);

/* ERR_CONFIG unless `points` points (the value of `key`) fit the model's positions. */
enum err_code shared_keys_check_points(const struct config_point *point, const char *key,
                                       size_t points, const struct model_dims *dims,
                                       struct err *err);

/*
 * ERR_CONFIG when `prompts` prompts of `points` points at once would need more memory than any
 * machine has. Call it before anything that counts bytes in a size_t: the product of keys within
 * their bounds can overflow it.
 */
enum err_code shared_keys_check_room(const struct config_point *point, size_t prompts,
                                     size_t points, const struct model_dims *dims, struct err *err);

/* ERR_CONFIG where the key `group` asks for more ranks than there are shards. */
enum err_code shared_keys_check_group(const struct config_point *point, size_t shards,
                                      struct err *err);

/* The key `contexts`: STAGE_USES_CONTEXTS. */
enum context_precision shared_keys_contexts(const struct config_point *point);

/* The key `arithmetic`: STAGE_USES_MODEL, STAGE_USES_SHAPE; f32 where a stage does not have it. */
enum arithmetic shared_keys_arithmetic(const struct config_point *point);

/* The key `chunk`, at most n: the number of prompts there are. */
size_t shared_keys_chunk(const struct config_point *point, size_t n);

size_t shared_keys_size(const struct config_point *point, const char *key); /* an INT key >= 0 */

#endif
