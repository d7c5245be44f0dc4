#include "config/config.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/axes.h"
#include "config/conditions.h"
#include "config/fold.h"
#include "config/nested_choice.h"
#include "config/overlay.h"
#include "config/resolved.h"
#include "config/stage_entry.h"
#include "config/top_level.h"

static enum err_code open_entries(struct config *c, const struct config_kinds *kinds,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    c->n = overlay_stage_count(c->root);
    TAKE(c->entries, &c->pool, c->n + 1);
    for (size_t i = 0; i < c->n; i++) {
        TRY(stage_entry_open(&c->entries[i], c, overlay_stage(c->root, i), kinds, err));
        TRY(stage_entry_keys(&c->entries[i], &c->pool, err));
    }
cleanup:
    return rc;
}

static enum err_code resolve_entry(struct entry *e, struct pool *p, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(stage_entry_values(e, p, err));
    TRY(axes_build(e, p, err));
    TRY(conditions_prepare(e, p, err));
    TRY(fold_prepare(e, p, err));
    TRY(axes_expand(e, p, err));
cleanup:
    return rc;
}

static enum err_code resolve(struct config *c, const struct config_kinds *kinds, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(overlay_check_stages(c->root, err));
    TRY(nested_choice_expand(c->root, &c->pool, err));
    TRY(top_level_read(c, err));
    TRY(open_entries(c, kinds, err));
    TRY(top_level_share(c, err));
    for (size_t i = 0; i < c->n; i++) TRY(resolve_entry(&c->entries[i], &c->pool, err));
    TRY(top_level_refuse_idle(c, err));
    TRY(top_level_link(c, err));
cleanup:
    return rc;
}

enum err_code config_open(struct config **out, const char *path, const char *const *sets,
                          size_t n_sets, const struct config_kinds *kinds, struct err *err) {
    enum err_code rc = ERR_OK;
    struct config *c = calloc(1, sizeof *c);
    CHECK(c, ERR_MEMORY, "no memory for the configuration");
    c->path = pool_copy(&c->pool, path, strlen(path));
    CHECK(c->path, ERR_MEMORY, "no memory for the configuration");
    TRY(overlay_load(&c->root, &c->pool, path, err));
    for (size_t i = 0; i < n_sets; i++) TRY(overlay_set(c->root, &c->pool, sets[i], kinds, err));
    TRY(resolve(c, kinds, err));
    for (size_t i = 0; i < c->n; i++) c->entries[i].seed = c->seed;
    *out = c;
cleanup:
    if (rc != ERR_OK) config_close(c);
    return rc;
}

void config_close(struct config *c) {
    if (!c) return;
    for (size_t i = 0; i < c->n; i++) free(c->entries[i].at);
    pool_release(&c->pool);
    free(c);
}

const char *config_name(const struct config *c) { return c->name; }
uint64_t config_seed(const struct config *c) { return c->seed; }
const char *config_gemm(const struct config *c) { return c->gemm; }
const char *config_path(const struct config *c) { return c->path; }
size_t config_stage_count(const struct config *c) { return c->n; }

static const struct entry *entry_at(const struct config *c, size_t stage) {
    assert(stage < c->n);
    return &c->entries[stage];
}

const char *config_stage_kind(const struct config *c, size_t stage) {
    return entry_at(c, stage)->kind;
}

const char *config_stage_name(const struct config *c, size_t stage) {
    return entry_at(c, stage)->name;
}

size_t config_stage_of_count(const struct config *c, size_t stage) {
    return entry_at(c, stage)->n_of;
}

const char *config_stage_of(const struct config *c, size_t stage, size_t i) {
    assert(i < entry_at(c, stage)->n_of);
    return entry_at(c, stage)->of[i];
}

enum err_code config_stage_error(struct err *err, const struct config *c, size_t stage,
                                 const char *key, const char *fmt, ...) {
    const struct entry *e = entry_at(c, stage);
    char message[512];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    return place_error(err, e->place, e->name, key, "%s", message);
}

static const struct key *key_set_by(const struct config *c, size_t stage, const char *key) {
    const struct entry *e = entry_at(c, stage);
    const size_t k = entry_index(e, key);
    if (k == KEY_NONE || e->keys[k].inherited) return NULL;
    return e->keys[k].given || e->keys[k].n > e->keys[k].own ? &e->keys[k] : NULL;
}

bool config_stage_sets(const struct config *c, size_t stage, const char *key) {
    return key_set_by(c, stage, key) != NULL;
}

bool config_stage_sets_one(const struct config *c, size_t stage, const char *key) {
    const struct key *k = key_set_by(c, stage, key);
    return k && k->given && k->n == 1 && node_is_plain(k->given);
}

bool config_stage_changes(const struct config *c, size_t stage, const char *key) {
    const struct key *k = key_set_by(c, stage, key);
    return k && !(k->def && k->n == 1 && value_compare(k->row, k->def, &k->values[0]) == 0);
}

size_t config_stage_points(const struct config *c, size_t stage) {
    return entry_at(c, stage)->n_points;
}

size_t config_stage_spanned(const struct config *c, size_t stage) {
    return entry_at(c, stage)->n_spanned;
}

size_t config_stage_keys(const struct config *c, size_t stage) {
    return entry_at(c, stage)->n_keys;
}

const struct config_key *config_stage_key(const struct config *c, size_t stage, size_t k) {
    assert(k < entry_at(c, stage)->n_keys);
    return entry_at(c, stage)->keys[k].row;
}

size_t config_stage_values(const struct config *c, size_t stage, size_t k) {
    assert(k < entry_at(c, stage)->n_keys);
    return entry_at(c, stage)->keys[k].n;
}

const struct config_point *config_stage_point(const struct config *c, size_t stage, size_t i) {
    assert(i < entry_at(c, stage)->n_points);
    return &entry_at(c, stage)->points[i];
}
