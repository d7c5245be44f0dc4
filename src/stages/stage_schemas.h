/*
 * stage_schemas.h - the stages of this program, as the config reader wants them.
 */
#ifndef STAGES_STAGE_SCHEMAS_H
#define STAGES_STAGE_SCHEMAS_H

#include "base/err.h"
#include "base/text.h"
#include "config/config.h"

/* Schemas of every stage in the registry; filled once, before any config is opened. */
struct stage_schemas {
    const char **names;
    struct config_schema *schemas;
    size_t n;
};

enum err_code stage_schemas_init(struct stage_schemas *s, struct err *err);
void stage_schemas_release(struct stage_schemas *s); /* NULL-safe parts, idempotent */

/* Opens a config against the set, which must outlive it. */
enum err_code stage_schemas_open(struct config **out, const struct stage_schemas *s,
                                 const char *path, const char *const *sets, size_t n_sets,
                                 struct err *err);

#endif
