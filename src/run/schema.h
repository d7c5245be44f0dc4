/*
 * schema.h - the stages of this program, as the config reader wants them.
 */
#ifndef RUN_SCHEMA_H
#define RUN_SCHEMA_H

#include "base/err.h"
#include "base/text.h"
#include "config/config.h"

/* Schemas of every stage in the registry; filled once, before any config is opened. */
struct schema_set {
    const char **names;
    struct config_schema *schemas;
    size_t n;
};

enum err_code schema_set_init(struct schema_set *s, struct err *err);
void schema_set_release(struct schema_set *s); /* NULL-safe parts, idempotent */

/* Opens a config against the set, which must outlive it. */
enum err_code schema_open(struct config **out, const struct schema_set *s, const char *path,
                          const char *const *sets, size_t n_sets, struct err *err);

/* Every stage with its keys, for --help. */
void schema_help(struct text *out, const struct schema_set *s);

#endif
