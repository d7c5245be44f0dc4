/*
 * top_level.h - the top level of a config: its own keys, its groups shared by all stages, and `of`.
 */
#ifndef CONFIG_TOP_LEVEL_H
#define CONFIG_TOP_LEVEL_H

#include "config/resolved.h"

enum err_code top_level_read(struct config *c,
                             struct err *err); /* name and seed; nothing unknown */
enum err_code top_level_share(struct config *c,
                              struct err *err); /* model and source into the entries */
enum err_code top_level_refuse_idle(struct config *c,
                                    struct err *err); /* shared keys nobody uses */
enum err_code top_level_link(struct config *c,
                             struct err *err); /* `of` names stages, in no circle */

#endif
