#include "config/top_level.h"

#include <stdio.h>
#include <string.h>

#include "config/conditions.h"
#include "config/overlay.h"
#include "config/stage_entry.h"
#include "config/value.h"

static const char *const WORDS[] = {"name", "seed", "base", "gemm", "stages", "model", "source"};
enum { N_WORDS = sizeof WORDS / sizeof *WORDS, SHARED = 5 };

static const struct config_key NAME_ROW = {.name = "name", .type = CONFIG_TEXT};
static const struct config_key SEED_ROW = {
    .name = "seed", .type = CONFIG_INT, .min = 0, .max = 9007199254740992.0};

static const char *const GEMMS[] = {"openblas", "onednn", NULL};
static const struct config_key GEMM_ROW = {.name = "gemm", .type = CONFIG_NAME, .choices = GEMMS};

static enum err_code check_words(const struct node *root, struct err *err) {
    for (size_t i = 0; i < root->n; i++) {
        const struct node *item = root->items[i];
        size_t word = 0;
        while (word < N_WORDS && strcmp(WORDS[word], item->name) != 0) word++;
        if (word >= SHARED && word < N_WORDS && item->kind != NODE_GROUP) {
            char shown[SHOW_TEXT];
            node_show(shown, item);
            return place_error(err, item->place, NULL, item->name,
                               "expected a group { }, received %s", shown);
        }
        if (word < N_WORDS) continue;
        const char *near = text_nearest(item->name, WORDS, N_WORDS);
        if (near)
            return place_error(err, item->place, NULL, item->name, "unknown key (did you mean %s?)",
                               near);
        return place_error(
            err, item->place, NULL, item->name,
            "unknown key: the top level has name, seed, gemm, base, stages, model, source");
    }
    return ERR_OK;
}

/* The name of the file without its folder and extension. */
static enum err_code default_name(struct config *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const char *slash = strrchr(c->path, '/'), *stem = slash ? slash + 1 : c->path;
    const char *dot = strrchr(stem, '.');
    c->name = pool_copy(&c->pool, stem, dot ? (size_t)(dot - stem) : strlen(stem));
    CHECK(c->name, ERR_MEMORY, "no memory for the configuration");
cleanup:
    return rc;
}

static enum err_code check_name(const struct config *c, struct place at, struct err *err) {
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    if (*c->name && strlen(c->name) <= 128 && c->name[strspn(c->name, allowed)] == '\0' &&
        !strchr(".-", c->name[0]))
        return ERR_OK;
    return place_error(
        err, at, NULL, "name",
        "\"%.60s\" cannot be the name of a folder: use letters, digits, _ . -, not . or - first, "
        "at most 128",
        c->name);
}

enum err_code top_level_read(struct config *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct node *name = node_find(c->root, "name"), *seed = node_find(c->root, "seed");
    const struct node *gemm = node_find(c->root, "gemm");
    const struct value_reader r = {&c->pool, NULL, NULL, err};
    struct value v = {0};
    TRY(check_words(c->root, err));
    TRY(default_name(c, err));
    if (name) {
        TRY(value_read(&v, &NAME_ROW, name, &r));
        c->name = v.s;
    }
    TRY(check_name(c, name ? name->place : (struct place){c->path, 1}, err));
    c->seed = 1;
    if (seed) {
        TRY(value_read(&v, &SEED_ROW, seed, &r));
        c->seed = (uint64_t)v.i;
    }
    c->gemm = GEMMS[0];
    if (gemm) {
        TRY(value_read(&v, &GEMM_ROW, gemm, &r));
        c->gemm = v.s;
    }
    if (overlay_stage_count(c->root) == 0)
        TRY(place_error(err, (struct place){c->path, 1}, NULL, "stages",
                        "missing or empty: write stages = ( { stage = \"KIND\"; ... } )"));
cleanup:
    return rc;
}

static enum err_code shared_leaves(struct leaves *out, struct config *c, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t i = SHARED; i < N_WORDS; i++) {
        const struct node *group = node_find(c->root, WORDS[i]);
        if (group) TRY(node_leaves(out, group, WORDS[i], &c->pool, err));
    }
cleanup:
    return rc;
}

/* For a key that no stage of this config has: names the nearest that one of them has. */
static enum err_code unknown_shared(struct config *c, const struct leaf *leaf, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t n = 0;
    const char **names;
    for (size_t i = 0; i < c->n; i++) n += c->entries[i].n_keys;
    TAKE(names, &c->pool, n + 1);
    n = 0;
    for (size_t i = 0; i < c->n; i++)
        for (size_t k = 0; k < c->entries[i].n_keys; k++)
            names[n++] = c->entries[i].keys[k].row->name;
    const char *near = text_nearest(leaf->path, names, n);
    if (near)
        return place_unreadable(err, leaf->node->place, NULL, leaf->path,
                                "unknown key (did you mean %s?)", near);
    return place_unreadable(err, leaf->node->place, NULL, leaf->path, "no stage here has this key");
cleanup:
    return rc;
}

enum err_code top_level_share(struct config *c, struct err *err) {
    enum err_code rc = ERR_OK;
    struct leaves leaves = {0};
    TRY(shared_leaves(&leaves, c, err));
    for (size_t i = 0; i < leaves.n; i++) {
        bool known = false;
        for (size_t j = 0; j < c->n; j++)
            TRY(stage_entry_inherit(&c->entries[j], &leaves.items[i], &known, err));
        if (!known) TRY(unknown_shared(c, &leaves.items[i], err));
    }
cleanup:
    return rc;
}

/* A shared key is used if some point has it, or if a stage sets a value of its own instead. */
static bool is_used(const struct config *c, const struct node *node, const char *path) {
    for (size_t i = 0; i < c->n; i++) {
        const size_t k = entry_index(&c->entries[i], path);
        if (k == KEY_NONE) continue;
        const struct key *key = &c->entries[i].keys[k];
        if (key->seen || key->given != node) return true;
    }
    return false;
}

/* The key does not exist because -s or another file set the key that its condition names. */
static bool is_overridden(const struct config *c, const struct leaf *leaf) {
    for (size_t i = 0; i < c->n; i++) {
        const size_t k = entry_index(&c->entries[i], leaf->path);
        if (k != KEY_NONE && conditions_overridden(&c->entries[i], k, leaf->node->place))
            return true;
    }
    return false;
}

static const char *condition_of(const struct config *c, const char *path) {
    for (size_t i = 0; i < c->n; i++) {
        const size_t k = entry_index(&c->entries[i], path);
        if (k != KEY_NONE) return c->entries[i].keys[k].row->when;
    }
    return "";
}

enum err_code top_level_refuse_idle(struct config *c, struct err *err) {
    enum err_code rc = ERR_OK;
    struct leaves leaves = {0};
    TRY(shared_leaves(&leaves, c, err));
    for (size_t i = 0; i < leaves.n; i++) {
        const struct leaf *leaf = &leaves.items[i];
        if (leaf->node->kind == NODE_GROUP || is_used(c, leaf->node, leaf->path)) continue;
        if (is_overridden(c, leaf)) continue;
        TRY(place_error(err, leaf->node->place, NULL, leaf->path,
                        "has no effect: it exists only where %s", condition_of(c, leaf->path)));
    }
cleanup:
    return rc;
}

static const struct entry *find_entry(const struct config *c, const char *name) {
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->entries[i].name, name) == 0) return &c->entries[i];
    return NULL;
}

static enum err_code link_one(struct config *c, struct entry *e, const struct node *node,
                              struct err *err) {
    enum err_code rc = ERR_OK;
    const char **names;
    char shown[SHOW_TEXT];
    node_show(shown, node);
    if (!node_is_text(node))
        return place_error(err, node->place, e->name, "of",
                           "expected the name of a stage, received %s", shown);
    for (size_t i = 0; i < e->n_of; i++)
        if (strcmp(e->of[i], node->text) == 0)
            return place_error(err, node->place, e->name, "of", "%s is named twice", node->text);
    if (find_entry(c, node->text)) {
        e->of[e->n_of++] = node->text;
        return ERR_OK;
    }
    TAKE(names, &c->pool, c->n);
    for (size_t i = 0; i < c->n; i++) names[i] = c->entries[i].name;
    const char *near = text_nearest(node->text, names, c->n);
    if (near)
        rc = place_error(err, node->place, e->name, "of",
                         "no stage is named \"%.60s\" (did you mean %s?)", node->text, near);
    else
        rc = place_error(err, node->place, e->name, "of",
                         "no stage is named \"%.60s\": give the name of a stage of this config",
                         node->text);
cleanup:
    return rc;
}

static enum err_code link_entry(struct config *c, struct entry *e, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct node *of = node_find(e->tree, "of");
    if (!of) return ERR_OK;
    const bool many = of->kind == NODE_ARRAY || of->kind == NODE_LIST;
    TAKE(e->of, &c->pool, of->n + 1);
    if (many && of->n == 0)
        TRY(place_error(err, of->place, e->name, "of", "empty: give the name of a stage"));
    if (!many) return link_one(c, e, of, err);
    for (size_t i = 0; i < of->n; i++) TRY(link_one(c, e, of->items[i], err));
cleanup:
    return rc;
}

static bool is_waiting(const struct config *c, const struct entry *e, const bool *done) {
    for (size_t i = 0; i < e->n_of; i++)
        if (!done[find_entry(c, e->of[i]) - c->entries]) return true;
    return false;
}

static enum err_code refuse_circles(struct config *c, struct err *err) {
    enum err_code rc = ERR_OK;
    bool *done, moved = true;
    TAKE(done, &c->pool, c->n);
    while (moved) {
        moved = false;
        for (size_t i = 0; i < c->n; i++) {
            if (done[i] || is_waiting(c, &c->entries[i], done)) continue;
            done[i] = moved = true;
        }
    }
    for (size_t i = 0; i < c->n; i++) {
        if (done[i]) continue;
        const struct node *of = node_find(c->entries[i].tree, "of");
        TRY(place_error(err, of->place, c->entries[i].name, "of",
                        "a cycle: this stage would wait for itself; name another stage"));
    }
cleanup:
    return rc;
}

enum err_code top_level_link(struct config *c, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t i = 0; i < c->n; i++) TRY(link_entry(c, &c->entries[i], err));
    TRY(refuse_circles(c, err));
cleanup:
    return rc;
}
