#include "stages/stage_schemas.h"

#include <stdlib.h>
#include <string.h>

#include "stages/stage.h"

enum err_code stage_schemas_init(struct stage_schemas *s, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = stage_count();
    *s = (struct stage_schemas){0};
    s->names = calloc(n, sizeof *s->names);
    s->schemas = calloc(n, sizeof *s->schemas);
    CHECK(s->names && s->schemas, ERR_MEMORY, "no memory for the schemas of %zu stages", n);
    for (; s->n < n; s->n++) {
        s->names[s->n] = stage_at(s->n)->name;
        TRY(stage_schema(&s->schemas[s->n], stage_at(s->n), err));
    }
cleanup:
    if (rc != ERR_OK) stage_schemas_release(s);
    return rc;
}

void stage_schemas_release(struct stage_schemas *s) {
    if (s->schemas)
        for (size_t i = 0; i < s->n; i++) config_schema_release(&s->schemas[i]);
    free(s->schemas);
    free(s->names);
    *s = (struct stage_schemas){0};
}

static const struct config_schema *schema_of(const char *kind, void *context) {
    const struct stage_schemas *s = context;
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->names[i], kind) == 0) return &s->schemas[i];
    return NULL;
}

enum err_code stage_schemas_open(struct config **out, const struct stage_schemas *s,
                                 const char *path, const char *const *sets, size_t n_sets,
                                 struct err *err) {
    struct stage_schemas set = *s; /* schema_of only reads it */
    const struct config_kinds kinds = {s->names, s->n, schema_of, &set, s->whole};
    return config_open(out, path, sets, n_sets, &kinds, err);
}
