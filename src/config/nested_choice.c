#include "config/nested_choice.h"

#include <stdio.h>
#include <string.h>

#include "config/overlay.h"

static const char KIND[] = "choose", OF[] = "of";

static struct node *string_node(struct pool *p, const char *text, struct place at) {
    struct node *n = node_new(p, NODE_STRING, NULL, at);
    if (n) n->text = pool_copy(p, text, strlen(text));
    return n && n->text ? n : NULL;
}

/* The group `choose` of a fit, taken out of it; NULL: there is none. */
static struct node *take_choice(struct node *stage) {
    struct node *kind = node_find(stage, "stage"), *choice = node_find(stage, KIND);
    size_t kept = 0;
    if (!choice || !kind || strcmp(kind->text, "fit") != 0) return NULL;
    for (size_t i = 0; i < stage->n; i++)
        if (stage->items[i] != choice) stage->items[kept++] = stage->items[i];
    stage->n = kept;
    return choice;
}

static enum err_code check_choice(const struct node *choice, const char *of, struct err *err) {
    static const char *const given[] = {"stage", OF};
    char shown[SHOW_TEXT];
    if (choice->kind != NODE_GROUP) {
        node_show(shown, choice);
        return place_error(err, choice->place, of, KIND,
                           "expected a group { key = \"KEY\"; by = \"validation\"; }, received %s",
                           shown);
    }
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        if (node_find(choice, given[i]))
            return place_error(err, choice->place, of, KIND,
                               "%s is given by the fit around it: leave it out", given[i]);
    return ERR_OK;
}

static enum err_code name_choice(const char **out, const struct node *choice, const char *of,
                                 const struct node *root, struct pool *p, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct node *name = node_find(choice, "name");
    char text[256];
    (void)snprintf(text, sizeof text, "%.200s_choice", of);
    *out = name && node_is_text(name) ? name->text : pool_copy(p, text, strlen(text));
    CHECK(*out, ERR_MEMORY, "no memory for the configuration");
    if (!overlay_find_stage(root, *out)) return ERR_OK;
    rc = place_error(err, choice->place, of, KIND,
                     "its stage would be named \"%s\", as another stage is: give a name = \"...\" "
                     "in its { }",
                     *out);
cleanup:
    return rc;
}

/* The new stage: the kind, the name, the fit, then what the group has. */
static enum err_code make_stage(struct node **out, const struct node *choice, const char *name,
                                const char *of, struct pool *p, struct err *err) {
    enum err_code rc = ERR_OK;
    struct node *stage = node_new(p, NODE_GROUP, NULL, choice->place);
    CHECK(stage, ERR_MEMORY, "no memory for the configuration");
    TRY(node_put(stage, "stage", string_node(p, KIND, choice->place), p, err));
    TRY(node_put(stage, OF, string_node(p, of, choice->place), p, err));
    TRY(node_overlay(stage, choice, p, err));
    if (!node_find(stage, "name"))
        TRY(node_put(stage, "name", string_node(p, name, choice->place), p, err));
    *out = stage;
cleanup:
    return rc;
}

/* Stage `stage` becomes number `at` of the list. */
static enum err_code insert_stage(struct node *stages, size_t at, struct node *stage,
                                  struct pool *p, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY(node_add(stages, stage, p, err));
    memmove(stages->items + at + 1, stages->items + at,
            (stages->n - 1 - at) * sizeof *stages->items);
    stages->items[at] = stage;
cleanup:
    return rc;
}

/* The names of `of`, with the choice in place of the fit. Nodes may be shared with other trees, so
 * that they are replaced and not changed. */
static enum err_code redirect(struct node *stage, const char *from, const char *to, struct pool *p,
                              struct err *err) {
    enum err_code rc = ERR_OK;
    const struct node *of = node_find(stage, OF);
    if (!of) return ERR_OK;
    if (node_is_text(of) && strcmp(of->text, from) == 0)
        return node_put(stage, OF, string_node(p, to, of->place), p, err);
    if (node_is_plain(of) || of->kind == NODE_GROUP) return ERR_OK;
    struct node *list = node_new(p, of->kind, NULL, of->place);
    CHECK(list, ERR_MEMORY, "no memory for the configuration");
    for (size_t i = 0; i < of->n; i++) {
        struct node *item = of->items[i];
        const bool same = node_is_text(item) && strcmp(item->text, from) == 0;
        TRY(node_add(list, same ? string_node(p, to, item->place) : item, p, err));
    }
    TRY(node_put(stage, OF, list, p, err));
cleanup:
    return rc;
}

static enum err_code expand(struct node *root, size_t i, struct node *choice, struct pool *p,
                            struct err *err) {
    enum err_code rc = ERR_OK;
    struct node *stages = node_find(root, "stages"), *stage = NULL;
    const char *of = overlay_stage_name(stages->items[i]), *name = NULL;
    TRY(check_choice(choice, of, err));
    TRY(name_choice(&name, choice, of, root, p, err));
    for (size_t k = 0; k < stages->n; k++) TRY(redirect(stages->items[k], of, name, p, err));
    TRY(make_stage(&stage, choice, name, of, p, err));
    TRY(insert_stage(stages, i + 1, stage, p, err));
cleanup:
    return rc;
}

enum err_code nested_choice_expand(struct node *root, struct pool *p, struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t i = 0; i < overlay_stage_count(root); i++) {
        struct node *choice = take_choice(overlay_stage(root, i));
        if (choice) TRY(expand(root, i, choice, p, err));
    }
cleanup:
    return rc;
}
