#include "run/rundir.h"

#include <stdio.h>
#include <string.h>

#include "run/record.h"

enum { CONFIG_BYTES = 1 << 24 }; /* a resolved config is longer than what was written by hand */

enum err_code rundir_name(char out[FILE_PATH_MAX], const struct config *config, const char *given,
                          struct err *err) {
    const int n = given ? snprintf(out, FILE_PATH_MAX, "%s", given)
                        : snprintf(out, FILE_PATH_MAX, "results/%s", config_name(config));
    if (n <= 0 || n >= FILE_PATH_MAX)
        return ERR(err, ERR_USAGE, "-o \"%s\": not a usable directory name", given ? given : "");
    return ERR_OK;
}

static bool is_kept(const char *path, const struct text *resolved) {
    struct text old = {0};
    struct err ignored = {0};
    const bool same = file_exists(path) &&
                      file_read(&old, path, CONFIG_BYTES, &ignored) == ERR_OK &&
                      strcmp(text_str(&old), text_str(resolved)) == 0;
    text_release(&old);
    return same;
}

enum err_code rundir_keep_config(const char *dir, const struct config *config, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text resolved = {0};
    char path[FILE_PATH_MAX];
    TRY(record_config_path(path, dir, err));
    config_print(&resolved, config);
    TRY(text_check(&resolved, err));
    if (!is_kept(path, &resolved)) TRY(file_replace(path, resolved.data, resolved.size, err));
cleanup:
    text_release(&resolved);
    return rc;
}

static void compare_plans(struct rundir_change *out, const struct plan *now,
                          const struct plan *before) {
    for (size_t j = 0; j < now->n_jobs; j++)
        if (plan_find(before, now->jobs[j].identity) == PLAN_NONE)
            out->added++;
        else
            out->unchanged++;
    out->gone = before->n_jobs - out->unchanged;
    out->changed = out->added > 0 || out->gone > 0;
}

void rundir_compare(struct rundir_change *out, const char *dir, const struct plan *plan,
                    const struct schema_set *schemas) {
    struct err ignored = {0};
    struct config *config = NULL;
    struct plan before = {0};
    char path[FILE_PATH_MAX];
    *out = (struct rundir_change){0};
    if (record_config_path(path, dir, &ignored) == ERR_OK && file_exists(path) &&
        schema_open(&config, schemas, path, NULL, 0, &ignored) == ERR_OK &&
        plan_make(&before, config, &ignored) == ERR_OK)
        compare_plans(out, plan, &before);
    plan_release(&before);
    config_close(config);
}
