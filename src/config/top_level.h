/*
 * top_level.h - the top level of a config: its own keys, the groups that all stages share, and the
 * stages that `of` names. config_open() calls these steps in this order.
 */
#ifndef CONFIG_TOP_LEVEL_H
#define CONFIG_TOP_LEVEL_H

#include "config/resolved.h"

/* name, seed and gemm; refuses unknown keys. */
enum err_code top_level_read(struct config *c, struct err *err);

/* Hands the keys of `model` and `source` to the stages that have them and do not set them. */
enum err_code top_level_share(struct config *c, struct err *err);

/* Once points are known: refuses shared keys that no point has. */
enum err_code top_level_refuse_idle(struct config *c, struct err *err);

/* `of`: every name is a stage, and no stage waits for itself. */
enum err_code top_level_link(struct config *c, struct err *err);

#endif
