#include "run/plan/task_names.h"

#include <stdlib.h>
#include <string.h>

static const char KEY[] = "source.task", END[] = ".json";

static bool is_listed(const struct task_names *t, const char *path) {
    for (size_t i = t->n; i-- > 0;) /* jobs of one task mostly follow each other */
        if (strcmp(t->paths[i], path) == 0) return true;
    return false;
}

static enum err_code add_path(struct task_names *t, const char *path, struct err *err) {
    const char **paths = realloc(t->paths, (t->n + 1) * sizeof *paths);
    if (!paths) return ERR(err, ERR_MEMORY, "no memory for the names of %zu tasks", t->n + 1);
    t->paths = paths;
    t->paths[t->n++] = path;
    return ERR_OK;
}

enum err_code task_names_collect(struct task_names *out, const struct config *config,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    for (size_t s = 0; s < config_stage_count(config); s++)
        for (size_t i = 0; i < config_stage_points(config, s); i++) {
            const struct config_point *point = config_stage_point(config, s, i);
            if (!config_has(point, KEY) || is_listed(out, config_text(point, KEY))) continue;
            TRY(add_path(out, config_text(point, KEY), err));
        }
cleanup:
    if (rc != ERR_OK) task_names_release(out);
    return rc;
}

void task_names_release(struct task_names *t) {
    free(t->paths);
    *t = (struct task_names){0};
}

/* Bytes of the path without the ending. */
static size_t length_of(const char *path) {
    const size_t n = strlen(path);
    return text_ends_with(path, END) ? n - strlen(END) : n;
}

static bool ends_with(const char *path, const char *end, size_t size) {
    const size_t n = length_of(path);
    return n >= size && memcmp(path + n - size, end, size) == 0 &&
           (n == size || path[n - size - 1] == '/');
}

static bool is_of_another(const struct task_names *t, const char *path, const char *end,
                          size_t size) {
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->paths[i], path) != 0 && ends_with(t->paths[i], end, size)) return true;
    return false;
}

/* Where the shortest end begins that only this path has; the path itself: a folder beside it has
 * the name of the file. */
static const char *find_name(const struct task_names *t, const char *path) {
    const char *stop = path + length_of(path), *name = stop;
    while (name > path) {
        for (name--; name > path && name[-1] != '/';) name--;
        if (!is_of_another(t, path, name, (size_t)(stop - name))) break;
    }
    return name;
}

void task_names_add(struct text *out, const struct task_names *t, const char *path) {
    const char *name = find_name(t, path);
    size_t size = length_of(path) - (size_t)(name - path);
    if (name == path && is_of_another(t, path, path, size)) size = strlen(path);
    text_bytes(out, name, size);
}

void task_names_add_folders(struct text *out, const struct task_names *t, const char *path) {
    const char *name = find_name(t, path), *slash = strrchr(name, '/');
    if (slash) text_bytes(out, name, (size_t)(slash + 1 - name));
}
