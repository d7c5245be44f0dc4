/*
 * keys_stage.h - a config of one stage whose keys are under test.
 */
#ifndef TWINS_KEYS_STAGE_H
#define TWINS_KEYS_STAGE_H

#include <stdio.h>

#include "config/config.h"
#include "twins/scratch_group.h"

static struct config_schema keys_schema; /* the test fills it */

static inline const struct config_schema *keys_schema_of(const char *kind, void *context) {
    (void)kind, (void)context;
    return &keys_schema;
}

/* A config with one stage that sets `keys`. */
static inline enum err_code keys_open(struct config **out, const char *keys, struct err *err) {
    static const char *const names[] = {"tested"};
    const struct config_kinds kinds = {names, 1, keys_schema_of, NULL, false};
    char path[SCRATCH_PATH], text[1024];
    const int n =
        snprintf(text, sizeof text,
                 "name = \"t\"; seed = 1; stages = ( { stage = \"tested\"; %s } );", keys);
    scratch_write(path, &scratch, "t.cfg", text, (size_t)n);
    return config_open(out, path, NULL, 0, &kinds, err);
}

static inline int keys_end(void **state) {
    config_schema_release(&keys_schema);
    return scratch_end(state);
}

#endif
