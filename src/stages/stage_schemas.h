/*
 * stage_schemas.h - the schemas of all stages, and opening a config with them.
 */
#ifndef STAGES_STAGE_SCHEMAS_H
#define STAGES_STAGE_SCHEMAS_H

#include "base/err.h"
#include "base/text.h"
#include "config/config.h"

/* names[i] has schemas[i], in the order of the registry. Filled once, before a config is opened. */
struct stage_schemas {
    const char **names;
    struct config_schema *schemas;
    size_t n;
    bool whole; /* points keep keys that are not read: config_kinds.whole */
};

enum err_code stage_schemas_init(struct stage_schemas *s, struct err *err);
void stage_schemas_release(struct stage_schemas *s); /* NULL-safe parts, idempotent */

/* config_open() with these schemas, which must outlive *out. */
enum err_code stage_schemas_open(struct config **out, const struct stage_schemas *s,
                                 const char *path, const char *const *sets, size_t n_sets,
                                 struct err *err);

#endif
