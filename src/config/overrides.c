/* overrides.c - overlay_set(): -s STAGE.KEY=VALUE onto a loaded config. */
#include <stdbool.h>
#include <string.h>

#include "config/config.h"
#include "config/overlay.h"
#include "config/syntax/tree.h"

enum { CANDIDATES_MAX = 128 };

static bool is_one_of(const char *word, const char *const *words, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(word, words[i]) == 0) return true;
    return false;
}

/* Every word of a dotted key is a letter, then letters, digits, _ or -. */
static bool is_key(const char *s) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char others[] = "0123456789_-";
    bool first = true;
    if (!*s) return false;
    for (; *s; s++) {
        if (first && !strchr(letters, *s)) return false;
        if (!first && *s != '.' && !strchr(letters, *s) && !strchr(others, *s)) return false;
        first = *s == '.';
    }
    return !first;
}

static void list_stages(struct text *out, const struct node *root) {
    const size_t n = overlay_stage_count(root);
    for (size_t i = 0; i < n; i++)
        text_add(out, "%s%s", i ? ", " : "", overlay_stage_name(overlay_stage(root, i)));
}

struct override {
    struct node *root;
    const struct config_kinds *kinds;
    const char *whole; /* the key as given */
    struct place at;
};

/* "optimiser.lr" or its last part "lr". */
static bool names_key(const char *word, const char *key) {
    const size_t n = strlen(word), size = strlen(key);
    return size >= n && strcmp(key + size - n, word) == 0 &&
           (size == n || key[size - n - 1] == '.');
}

/* "fit.optimiser.lr or slow.optimiser.lr": of each stage that has the key. */
static void list_owners(struct text *out, const struct override *o) {
    for (size_t i = 0; i < overlay_stage_count(o->root); i++) {
        const struct node *stage = overlay_stage(o->root, i), *kind = node_find(stage, "stage");
        const struct config_schema *schema =
            kind && kind->text ? o->kinds->schema_of(kind->text, o->kinds->context) : NULL;
        for (size_t k = 0; schema && k < schema->n; k++)
            if (names_key(o->whole, schema->rows[k]->name))
                text_add(out, "%s%s.%s", out->size ? " or " : "", overlay_stage_name(stage),
                         schema->rows[k]->name);
    }
}

static enum err_code unknown(const struct override *o, const char *word, struct err *err) {
    const struct node *root = o->root;
    const char *words[CANDIDATES_MAX] = {"name", "seed", "gemm", "model", "source"};
    struct text stages = {0}, owners = {0};
    size_t n = 5;
    for (size_t i = 0; i < overlay_stage_count(root) && n < CANDIDATES_MAX; i++)
        words[n++] = overlay_stage_name(overlay_stage(root, i));
    list_owners(&owners, o);
    const char *near = owners.size ? text_str(&owners) : text_nearest(word, words, n);
    list_stages(&stages, root);
    const enum err_code rc = place_unreadable(
        err, o->at, NULL, word, "no stage and no top-level key (%s%s%sthe stages are: %s)",
        near ? "did you mean " : "", near ? near : "", near ? "? " : "", text_str(&stages));
    text_release(&owners);
    text_release(&stages);
    return rc;
}

/* The group in which the key is to be set, and the rest of the key below that group. */
static enum err_code find_target(struct node **group, const char **rest, char *key,
                                 const struct override *o, struct err *err) {
    static const char *const plain[] = {"name", "seed", "gemm"}, *const groups[] = {"model",
                                                                                    "source"};
    static const char *const fixed[] = {"base", "stages"};
    const struct place at = o->at;
    char *dot = strchr(key, '.');
    *group = o->root;
    *rest = key;
    if (dot) *dot = '\0';
    struct node *stage = overlay_find_stage(o->root, key);
    if (is_one_of(key, fixed, 2))
        return place_unreadable(err, at, NULL, key, "can only be set in the file, not with -s");
    if (!dot && (stage || is_one_of(key, groups, 2)))
        return place_unreadable(err, at, NULL, key, "is a group of keys: give %s.KEY=VALUE", key);
    if (dot && is_one_of(key, plain, 3))
        return place_unreadable(err, at, NULL, key, "has no keys below it: give %s=VALUE", key);
    if (!stage && !is_one_of(key, plain, 3) && !is_one_of(key, groups, 2))
        return unknown(o, key, err);
    if (stage) *group = stage, *rest = dot + 1;
    if (dot && !stage) *dot = '.';
    return ERR_OK;
}

enum err_code overlay_set(struct node *root, struct pool *p, const char *set,
                          const struct config_kinds *kinds, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text label = {0};
    struct node *leaf = NULL, *group = NULL;
    const char *rest = NULL, *equals = strchr(set, '=');
    char *key = pool_copy(p, set, equals ? (size_t)(equals - set) : strlen(set));
    text_add(&label, "-s %s", set);
    const char *file = pool_copy(p, text_str(&label), label.size);
    const char *whole = key ? pool_copy(p, key, strlen(key)) : NULL;
    CHECK(whole && file, ERR_MEMORY, "no memory for the configuration");
    const struct place at = {file, 0};
    if (!equals || !is_key(key))
        TRY(place_unreadable(err, at, NULL, NULL, "expected STAGE.KEY=VALUE or KEY=VALUE"));
    TRY(tree_literal(&leaf, p, equals + 1, at, err));
    TRY(find_target(&group, &rest, key, &(struct override){root, kinds, whole, at}, err));
    TRY(node_put(group, rest, leaf, p, err));
cleanup:
    text_release(&label);
    return rc;
}
