/* overrides.c - overlay_set(): -s STAGE.KEY=VALUE onto a loaded config. */
#include <stdbool.h>
#include <string.h>

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

static enum err_code unknown(const struct node *root, const char *word, struct place at,
                             struct err *err) {
    const char *words[CANDIDATES_MAX] = {"name", "seed", "model", "source"};
    struct text stages = {0};
    size_t n = 4;
    for (size_t i = 0; i < overlay_stage_count(root) && n < CANDIDATES_MAX; i++)
        words[n++] = overlay_stage_name(overlay_stage(root, i));
    const char *near = text_nearest(word, words, n);
    list_stages(&stages, root);
    const enum err_code rc = place_unreadable(
        err, at, NULL, word, "no stage and no top-level key (%s%s%sthe stages are: %s)",
        near ? "did you mean " : "", near ? near : "", near ? "? " : "", text_str(&stages));
    text_release(&stages);
    return rc;
}

/* The group in which the key is to be set, and the rest of the key below that group. */
static enum err_code find_target(struct node **group, const char **rest, struct node *root,
                                 char *key, struct place at, struct err *err) {
    static const char *const plain[] = {"name", "seed"}, *const groups[] = {"model", "source"};
    static const char *const fixed[] = {"base", "stages"};
    char *dot = strchr(key, '.');
    *group = root;
    *rest = key;
    if (dot) *dot = '\0';
    struct node *stage = overlay_find_stage(root, key);
    if (is_one_of(key, fixed, 2))
        return place_unreadable(err, at, NULL, key, "can only be set in the file, not with -s");
    if (!dot && (stage || is_one_of(key, groups, 2)))
        return place_unreadable(err, at, NULL, key, "is a group of keys: give %s.KEY=VALUE", key);
    if (dot && is_one_of(key, plain, 2))
        return place_unreadable(err, at, NULL, key, "has no keys below it: give %s=VALUE", key);
    if (!stage && !is_one_of(key, plain, 2) && !is_one_of(key, groups, 2))
        return unknown(root, key, at, err);
    if (stage) *group = stage, *rest = dot + 1;
    if (dot && !stage) *dot = '.';
    return ERR_OK;
}

enum err_code overlay_set(struct node *root, struct pool *p, const char *set, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text label = {0};
    struct node *leaf = NULL, *group = NULL;
    const char *rest = NULL, *equals = strchr(set, '=');
    char *key = pool_copy(p, set, equals ? (size_t)(equals - set) : strlen(set));
    text_add(&label, "-s %s", set);
    const char *file = pool_copy(p, text_str(&label), label.size);
    CHECK(key && file, ERR_MEMORY, "no memory for the configuration");
    const struct place at = {file, 0};
    if (!equals || !is_key(key))
        TRY(place_unreadable(err, at, NULL, NULL, "expected STAGE.KEY=VALUE or KEY=VALUE"));
    TRY(tree_literal(&leaf, p, equals + 1, at, err));
    TRY(find_target(&group, &rest, root, key, at, err));
    TRY(node_put(group, rest, leaf, p, err));
cleanup:
    text_release(&label);
    return rc;
}
