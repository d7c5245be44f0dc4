#include "stages/stage.h"

#include <assert.h>
#include <string.h>

#include "sources/source_registry.h"
#include "stages/shared_keys.h"

/* The registry: one line per stage, in the order of help. */
#define STAGES(X)                                                                                  \
    X(pretrain)                                                                                    \
    X(fit)                                                                                         \
    X(choose)                                                                                      \
    X(evaluate)                                                                                    \
    X(estimate)                                                                                    \
    X(capture)                                                                                     \
    X(effects)                                                                                     \
    X(head_weights)                                                                                \
    X(agreement)                                                                                   \
    X(ablation)                                                                                    \
    X(compare)                                                                                     \
    X(probe)                                                                                       \
    X(leave_one_out)                                                                               \
    X(universal)

#define X(name) extern const struct stage stage_##name;
STAGES(X)
#undef X

#define X(name) &stage_##name,
static const struct stage *const ALL[] = {STAGES(X)};
#undef X

size_t stage_count(void) { return sizeof ALL / sizeof *ALL; }

const struct stage *stage_at(size_t i) {
    assert(i < stage_count());
    return ALL[i];
}

const struct stage *stage_find(const char *name) {
    for (size_t i = 0; i < stage_count(); i++)
        if (strcmp(ALL[i]->name, name) == 0) return ALL[i];
    return NULL;
}

const struct job_columns *stage_columns(const struct stage *s, const struct config_point *point) {
    return s->text_columns && source_is_text(point) ? s->text_columns : s->columns;
}

enum err_code stage_schema(struct config_schema *out, const struct stage *s, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(config_schema_add(out, s->keys, s->n_keys, err));
    TRY(shared_keys_add(out, s->uses, err));
    out->recipes = s->recipes;
    out->reader = s->reader;
    out->setting = s->setting;
    out->reads = s->reads;
cleanup:
    return rc;
}
