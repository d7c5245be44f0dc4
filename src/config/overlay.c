#include "config/overlay.h"

#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "config/syntax/tree.h"

enum { BASES_MAX = 16 };

/* The files being read: each is the base of the one before it. */
struct chain {
    struct {
        dev_t device;
        ino_t inode;
    } files[BASES_MAX];
    size_t n;
};

size_t overlay_stage_count(const struct node *root) {
    const struct node *stages = node_find(root, "stages");
    return stages ? stages->n : 0;
}

struct node *overlay_stage(const struct node *root, size_t i) {
    return node_find(root, "stages")->items[i];
}

const char *overlay_stage_name(const struct node *stage) {
    const struct node *name = node_find(stage, "name");
    if (!name) name = node_find(stage, "stage");
    return name && node_is_text(name) ? name->text : NULL;
}

struct node *overlay_find_stage(const struct node *root, const char *name) {
    const size_t n = overlay_stage_count(root);
    for (size_t i = 0; i < n; i++) {
        const char *own = overlay_stage_name(overlay_stage(root, i));
        if (own && strcmp(own, name) == 0) return overlay_stage(root, i);
    }
    return NULL;
}

static enum err_code check_stage(const struct node *root, struct node *stage, struct err *err) {
    static const char *const words[] = {"stage", "name"};
    if (stage->kind != NODE_GROUP) {
        char shown[SHOW_TEXT];
        node_show(shown, stage);
        return place_error(err, stage->place, NULL, "stages",
                           "expected a group { stage = KIND; ... }, received %s", shown);
    }
    for (size_t i = 0; i < 2; i++) {
        char shown[SHOW_TEXT];
        const struct node *n = node_find(stage, words[i]);
        if (!n || node_is_text(n)) continue;
        node_show(shown, n);
        return place_error(err, n->place, "stages", words[i], "expected a string, received %s",
                           shown);
    }
    const char *name = overlay_stage_name(stage);
    if (!name)
        return place_error(err, stage->place, NULL, "stages",
                           "an entry without a kind: write stage = \"KIND\"");
    const struct node *first = overlay_find_stage(root, name);
    if (first == stage) return ERR_OK;
    char where[PLACE_TEXT];
    place_text(where, first->place);
    return place_error(err, stage->place, "stages", name,
                       "a second stage of this name (the first: %s): give one of them name = ...",
                       where);
}

enum err_code overlay_check_stages(const struct node *root, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct node *stages = node_find(root, "stages");
    if (!stages) return ERR_OK;
    if (stages->kind != NODE_LIST) {
        char shown[SHOW_TEXT];
        node_show(shown, stages);
        return place_error(err, stages->place, NULL, "stages",
                           "expected a list ( { stage = ... }, ... ), received %s", shown);
    }
    for (size_t i = 0; i < stages->n; i++) TRY(check_stage(root, stages->items[i], err));
cleanup:
    return rc;
}

static enum err_code merge_stages(struct node *base, const struct node *over, struct pool *p,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    struct node *stages = node_find(base, "stages");
    const size_t n = overlay_stage_count(over);
    for (size_t i = 0; i < n; i++) {
        struct node *stage = overlay_stage(over, i);
        struct node *old = overlay_find_stage(base, overlay_stage_name(stage));
        if (old)
            TRY(node_overlay(old, stage, p, err));
        else
            TRY(node_add(stages, stage, p, err));
    }
cleanup:
    return rc;
}

/* Merges the root `over` into the root `base`. */
static enum err_code merge(struct node *base, struct node *over, struct pool *p, struct err *err) {
    enum err_code rc = ERR_OK;
    struct node *stages = node_find(base, "stages");
    if (stages && node_find(over, "stages")) {
        TRY(merge_stages(base, over, p, err));
        for (size_t i = 0; i < over->n; i++)
            if (strcmp(over->items[i]->name, "stages") == 0) over->items[i] = stages;
    }
    TRY(node_overlay(base, over, p, err));
cleanup:
    return rc;
}

/* Takes `base` out of a root; NULL when it has none. */
static const struct node *take_base(struct node *root) {
    const struct node *base = node_find(root, "base");
    size_t kept = 0;
    for (size_t i = 0; i < root->n; i++)
        if (root->items[i] != base) root->items[kept++] = root->items[i];
    root->n = kept;
    return base;
}

static enum err_code enter(struct chain *c, const char *path, const struct node *asked,
                           struct err *err) {
    struct stat info;
    if (stat(path, &info) != 0) return ERR_OK; /* reading the file will report the reason */
    for (size_t i = 0; i < c->n; i++)
        if (c->files[i].device == info.st_dev && c->files[i].inode == info.st_ino)
            return place_error(err, asked->place, NULL, "base",
                               "a cycle: %s is one of the files that lead here", path);
    if (c->n == BASES_MAX)
        return place_error(err, asked->place, NULL, "base", "more than %d files deep",
                           (int)BASES_MAX);
    c->files[c->n].device = info.st_dev;
    c->files[c->n++].inode = info.st_ino;
    return ERR_OK;
}

static enum err_code base_path(char out[FILE_PATH_MAX], const struct node *base, struct err *err) {
    char shown[SHOW_TEXT];
    if (node_is_text(base) && *base->text)
        return file_resolve(out, base->place.file, base->text, err);
    node_show(shown, base);
    return place_error(err, base->place, NULL, "base", "expected the path of a config, received %s",
                       shown);
}

static enum err_code load(struct node **out, struct pool *p, const char *path,
                          const struct node *asked, struct chain *c, struct err *err) {
    enum err_code rc = ERR_OK;
    struct node *own = NULL, *whole = NULL;
    TRY(enter(c, path, asked, err));
    rc = tree_read(&own, p, path, err);
    if (rc == ERR_CONFIG && asked && !file_exists(path))
        return place_error(err, asked->place, NULL, "base", "%s: no such file", path);
    TRY(rc);
    TRY(overlay_check_stages(own, err));
    const struct node *base = take_base(own);
    whole = own;
    if (base) {
        char below[FILE_PATH_MAX];
        TRY(base_path(below, base, err));
        TRY(load(&whole, p, below, base, c, err));
        TRY(merge(whole, own, p, err));
    }
    *out = whole;
cleanup:
    return rc;
}

enum err_code overlay_load(struct node **out, struct pool *p, const char *path, struct err *err) {
    struct chain chain = {.n = 0};
    return load(out, p, path, NULL, &chain, err);
}
