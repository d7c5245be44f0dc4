#include "run/tables/model_recipe.h"

#include <string.h>

#include "base/file.h"
#include "tensorfile/tensorfile.h"

/* Copies the lines "KEY TYPE VALUE" without that of `repeat`. */
static void copy_keys(struct text *out, const char *keys) {
    while (*keys) {
        const size_t n = strcspn(keys, "\n");
        if (strncmp(keys, "repeat ", 7) != 0) text_add(out, "%.*s\n", (int)n, keys);
        keys += n + (keys[n] == '\n');
    }
}

static void recipe_of_file(struct text *out, const char *path) {
    struct tensorfile *file = NULL;
    struct err ignored = {0};
    if (file_is_folder(path) || tensorfile_open(&file, path, &ignored) != ERR_OK) return;
    const char *keys = tensorfile_note(file, "config");
    copy_keys(out, keys ? keys : "");
    tensorfile_close(file);
}

void model_recipe_read(struct text *out, const struct plan *p, size_t job) {
    const size_t model = plan_model(p, job);
    const char *path = model == PLAN_NONE ? plan_model_file(p, job) : NULL;
    text_clear(out);
    if (path) recipe_of_file(out, path);
    if (model == PLAN_NONE) return;
    struct text keys = {0};
    config_point_identity(&keys, p->jobs[model].point);
    copy_keys(out, text_str(&keys));
    out->failed |= keys.failed;
    text_release(&keys);
}

const char *model_recipe_id(const struct plan *p, size_t job) {
    const size_t model = plan_model(p, job);
    if (model != PLAN_NONE) return p->jobs[model].identity;
    const char *path = plan_model_file(p, job);
    return path ? identity_files_find(p->files, path) : NULL;
}
