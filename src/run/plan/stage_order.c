#include "run/plan/stage_order.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "stages/stage.h"

size_t stage_order_find(const struct config *c, const char *name) {
    for (size_t i = 0; i < config_stage_count(c); i++)
        if (strcmp(config_stage_name(c, i), name) == 0) return i;
    return (size_t)-1;
}

static bool reads_kind(const struct stage *kind, const char *parent) {
    for (const char *const *p = kind->parents; p && *p; p++)
        if (strcmp(*p, parent) == 0) return true;
    return false;
}

static enum err_code wrong_kind(const struct config *c, size_t stage, size_t parent,
                                struct err *err) {
    struct text can = {0};
    const struct stage *kind = stage_find(config_stage_kind(c, stage));
    for (const char *const *p = kind->parents; p && *p; p++)
        text_add(&can, "%s%s", can.size ? " or " : "", *p);
    const enum err_code rc =
        config_stage_error(err, c, stage, "of", "\"%s\" is a %s stage, but a %s stage reads %s",
                           config_stage_name(c, parent), config_stage_kind(c, parent), kind->name,
                           can.size ? text_str(&can) : "nothing; leave `of` out");
    text_release(&can);
    return rc;
}

static enum err_code check_kinds(const struct config *c, size_t stage, struct err *err) {
    const struct stage *kind = stage_find(config_stage_kind(c, stage));
    for (size_t i = 0; i < config_stage_of_count(c, stage); i++) {
        const size_t parent = stage_order_find(c, config_stage_of(c, stage, i));
        if (!reads_kind(kind, config_stage_kind(c, parent)))
            return wrong_kind(c, stage, parent, err);
    }
    return ERR_OK;
}

static bool is_ready(const struct config *c, size_t stage, const bool *placed) {
    for (size_t i = 0; i < config_stage_of_count(c, stage); i++)
        if (!placed[stage_order_find(c, config_stage_of(c, stage, i))]) return false;
    return true;
}

static size_t first_ready(const struct config *c, const bool *placed) {
    for (size_t s = 0; s < config_stage_count(c); s++)
        if (!placed[s] && is_ready(c, s, placed)) return s;
    return (size_t)-1;
}

enum err_code stage_order(size_t *order, const struct config *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = config_stage_count(c);
    bool *placed = calloc(n + 1, sizeof *placed);
    CHECK(placed, ERR_MEMORY, "no memory for %zu stages", n);
    for (size_t i = 0; i < n; i++) {
        const size_t s = first_ready(c, placed);
        assert(s != (size_t)-1); /* config_open refuses cycles */
        order[i] = s;
        placed[s] = true;
    }
    for (size_t s = 0; s < n; s++) TRY(check_kinds(c, s, err));
cleanup:
    free(placed);
    return rc;
}
