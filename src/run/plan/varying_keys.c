#include "run/plan/varying_keys.h"

#include <stdlib.h>
#include <string.h>

/* The index of a key in the point; `hint` is its index in the previous point. */
static size_t find_index(const struct config_point *point, const struct config_key *key,
                         size_t hint) {
    const size_t n = config_point_size(point);
    if (hint < n && config_point_key(point, hint) == key) return hint;
    for (size_t i = 0; i < n; i++)
        if (config_point_key(point, i) == key) return i;
    return n;
}

/* Do the points of the stage that have the key differ in its value? */
static bool key_varies(struct text scratch[2], const struct plan *p, size_t stage,
                       const struct config_key *key) {
    size_t hint = 0;
    bool met = false;
    for (size_t k = 0; k < config_stage_points(p->config, stage); k++) {
        const struct config_point *point = config_stage_point(p->config, stage, k);
        hint = find_index(point, key, hint);
        if (hint == config_point_size(point)) continue;
        text_clear(&scratch[met]);
        config_point_value(&scratch[met], point, hint);
        if (met && strcmp(text_str(&scratch[0]), text_str(&scratch[1])) != 0) return true;
        met = true;
    }
    return false;
}

/* Keys already compared: one comparison goes through all points of the stage. */
struct looked_at {
    const struct config_key **keys;
    size_t n, capacity;
};

static bool is_known(const struct looked_at *known, const struct config_key *key) {
    for (size_t i = 0; i < known->n; i++)
        if (known->keys[i] == key) return true;
    return false;
}

static enum err_code remember(struct looked_at *known, const struct config_key *key,
                              struct err *err) {
    if (known->n == known->capacity) {
        const size_t capacity = known->capacity ? 2 * known->capacity : 32;
        const struct config_key **keys = realloc(known->keys, capacity * sizeof *keys);
        if (!keys) return ERR(err, ERR_MEMORY, "no memory for %zu keys", capacity);
        known->keys = keys;
        known->capacity = capacity;
    }
    known->keys[known->n++] = key;
    return ERR_OK;
}

enum err_code varying_keys(struct varying_keys *out, const struct plan *p, size_t stage,
                           struct err *err) {
    enum err_code rc = ERR_OK;
    struct text scratch[2] = {{0}, {0}};
    struct looked_at known = {0};
    *out = (struct varying_keys){0};
    for (size_t k = 0; k < config_stage_points(p->config, stage); k++) {
        const struct config_point *point = config_stage_point(p->config, stage, k);
        if (k > 0 && config_point_same_keys(point, config_stage_point(p->config, stage, k - 1)))
            continue;
        for (size_t i = 0; i < config_point_size(point) && out->n < VARYING_KEYS_MAX; i++) {
            const struct config_key *key = config_point_key(point, i);
            if (!(key->flags & CONFIG_AXIS) || is_known(&known, key)) continue;
            TRY(remember(&known, key, err));
            if (key_varies(scratch, p, stage, key)) out->keys[out->n++] = key;
        }
    }
    TRY(text_check(&scratch[0], err));
    TRY(text_check(&scratch[1], err));
cleanup:
    free(known.keys);
    text_release(&scratch[0]);
    text_release(&scratch[1]);
    return rc;
}

void varying_keys_value(struct text *out, const struct plan *p, const struct config_point *point,
                        const char *key) {
    struct text value = {0};
    if (strcmp(key, "source.task") == 0 && config_has(point, key)) {
        task_names_add(out, &p->tasks, config_text(point, key));
        return;
    }
    for (size_t i = 0; i < config_point_size(point); i++)
        if (strcmp(config_point_key(point, i)->name, key) == 0) {
            config_point_value(&value, point, i);
            break;
        }
    for (const char *c = text_str(&value); *c; c++)
        if (*c != '"') text_bytes(out, c, 1);
    if (value.size == 0) text_add(out, "-");
    if (value.failed) out->failed = true;
    text_release(&value);
}

void varying_keys_describe(struct text *out, const struct varying_keys *a, const struct plan *p,
                           const struct config_point *point) {
    const char *gap = "";
    for (size_t i = 0; i < a->n; i++) {
        if (find_index(point, a->keys[i], 0) == config_point_size(point)) continue;
        text_add(out, "%s%s=", gap, a->keys[i]->name);
        varying_keys_value(out, p, point, a->keys[i]->name);
        gap = " ";
    }
}
