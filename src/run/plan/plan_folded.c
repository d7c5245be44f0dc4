#include "run/plan/plan_folded.h"

#include <string.h>

/* The value of the key that decides what a point reads, such as its method. */
static const char *reader_of(const struct plan *p, size_t stage, size_t i) {
    return config_text(config_stage_point(p->config, stage, i), p->stages[stage].kind->reader);
}

/* Keys with `least` values or more that the point does not read. A key with several values was
 * given by the config, in the stage or at the top level; one value may be a default. */
static void list_unread(struct text *out, const struct plan *p, size_t stage,
                        const struct config_point *point, size_t least) {
    const char *gap = "";
    for (size_t k = 0; k < config_stage_keys(p->config, stage); k++) {
        const struct config_key *key = config_stage_key(p->config, stage, k);
        if ((key->flags & CONFIG_SILENT) || config_stage_values(p->config, stage, k) < least ||
            (least < 2 && !config_stage_sets(p->config, stage, key->name)) ||
            !config_is_unread(point, key->name))
            continue;
        text_add(out, "%s%s", gap, key->name);
        gap = ", ";
    }
}

void plan_folded_unread(struct text *out, const struct plan *p, size_t stage,
                        const struct config_point *point) {
    list_unread(out, p, stage, point, 1);
}

/* Some point before point i has the same value of that key. */
static bool is_met(const struct plan *p, size_t stage, size_t i) {
    for (size_t k = 0; k < i; k++)
        if (strcmp(reader_of(p, stage, k), reader_of(p, stage, i)) == 0) return true;
    return false;
}

struct clause { /* "fv, icv do not read points" */
    struct text methods, keys;
    size_t n;
};

static void end_clause(struct text *out, struct clause *c) {
    if (c->keys.size > 0)
        text_add(out, "%s%s %s not read %s", text_ends_with(text_str(out), ":") ? " " : "; ",
                 text_str(&c->methods), c->n == 1 ? "does" : "do", text_str(&c->keys));
    text_clear(&c->methods);
    text_clear(&c->keys);
    c->n = 0;
}

/* Methods in a row that do not read the same keys are one clause. */
static void add_method(struct text *out, struct clause *c, const char *method,
                       const struct text *keys) {
    if (c->n > 0 && strcmp(text_str(&c->keys), text_str(keys)) != 0) end_clause(out, c);
    text_add(&c->methods, "%s%s", c->n > 0 ? ", " : "", method);
    if (c->n++ == 0) text_add(&c->keys, "%s", text_str(keys));
}

void plan_folded_describe(struct text *out, const struct plan *p, size_t stage) {
    const size_t n = config_stage_points(p->config, stage),
                 spanned = config_stage_spanned(p->config, stage);
    struct clause c = {0};
    struct text keys = {0};
    if (n == spanned) return;
    text_add(out, "%s: %zu of %zu points repeat the work of another one and are no jobs:",
             p->stages[stage].name, spanned - n, spanned);
    for (size_t i = 0; i < n; i++) {
        const struct config_point *point = config_stage_point(p->config, stage, i);
        if (is_met(p, stage, i)) continue;
        text_clear(&keys);
        list_unread(&keys, p, stage, point, 2);
        add_method(out, &c, reader_of(p, stage, i), &keys);
    }
    end_clause(out, &c);
    text_add(out, ".");
    if (keys.failed || c.methods.failed || c.keys.failed) out->failed = true;
    text_release(&keys);
    text_release(&c.methods);
    text_release(&c.keys);
}
