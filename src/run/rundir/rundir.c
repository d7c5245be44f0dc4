#include "run/rundir/rundir.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/version.h"
#include "journal/journal.h"
#include "run/rundir/run_state.h"

enum {
    CONFIG_BYTES = 1 << 24
}; /* a resolved config is longer than the limit for files written by hand */

enum err_code rundir_name(char out[FILE_PATH_MAX], const struct config *config, const char *given,
                          struct err *err) {
    const int n = given ? snprintf(out, FILE_PATH_MAX, "%s", given)
                        : snprintf(out, FILE_PATH_MAX, "results/%s", config_name(config));
    if (n <= 0 || n >= FILE_PATH_MAX)
        return ERR(err, ERR_USAGE, "-o \"%s\": not a usable directory name", given ? given : "");
    return ERR_OK;
}

static size_t count_points(const struct config *c) {
    size_t n = 0;
    for (size_t s = 0; s < config_stage_count(c); s++) n += config_stage_points(c, s);
    return n;
}

enum err_code rundir_open_config(struct config **out, char dir[FILE_PATH_MAX], size_t *copies,
                                 struct stage_schemas *s, const struct rundir_config *c,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    struct config *config = NULL;
    TRY(stage_schemas_open(&config, s, c->path, c->sets, c->n_sets, err));
    TRY(rundir_name(dir, config, c->folder, err));
    const size_t folded = count_points(config);
    if (journal_is_whole(dir)) {
        config_close(config);
        config = NULL;
        s->whole = true;
        TRY(stage_schemas_open(&config, s, c->path, c->sets, c->n_sets, err));
    }
    *copies = count_points(config) - folded;
    *out = config;
    config = NULL;
cleanup:
    config_close(config);
    return rc;
}

enum err_code rundir_note_copies(struct plan_notes *out, const char *dir, size_t copies,
                                 struct err *err) {
    struct err note;
    if (copies == 0) return ERR_OK;
    (void)ERR(&note, ERR_CONFIG,
              "%s: begun by a taskvec before 0.3.0, whose identities have the keys that a job does "
              "not read too: no finished job runs again, but %zu points that differ in such keys "
              "alone stay jobs of their own; in a new folder they are not",
              dir, copies);
    return plan_notes_add(out, &note, err);
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

void rundir_config_sum(char out[HASH_HEX], const struct text *resolved) {
    struct hash h;
    hash_begin(&h);
    hash_bytes(&h, text_str(resolved), resolved->size);
    hash_end(out, &h);
}

static enum err_code rundir_path(char out[FILE_PATH_MAX], const char *dir, const char *folder,
                                 const char *sum, const char *ending, struct err *err) {
    const int n = snprintf(out, FILE_PATH_MAX, "%s/%s/%s.%s", dir, folder, sum, ending);
    if (n < 0 || n >= FILE_PATH_MAX) return ERR(err, ERR_CONFIG, "%s: path too long", dir);
    return ERR_OK;
}

enum err_code rundir_kept_path(char out[FILE_PATH_MAX], const char *dir, const char *sum,
                               struct err *err) {
    return rundir_path(out, dir, "configs", sum, "cfg", err);
}

/* A file named by its content, in a folder of its own. */
static enum err_code keep(const char *path, const char *dir, const char *folder, const void *data,
                          size_t size, struct err *err) {
    enum err_code rc = ERR_OK;
    char parent[FILE_PATH_MAX];
    if (file_exists(path)) return ERR_OK;
    (void)snprintf(parent, sizeof parent, "%s/%s", dir, folder);
    TRY(file_make_folder(parent, err));
    TRY(file_replace(path, data, size, err));
cleanup:
    return rc;
}

static enum err_code keep_changes(const char *dir, struct err *err) {
    enum err_code rc = ERR_OK;
    char path[FILE_PATH_MAX];
    size_t size;
    const void *diff = version_diff(&size);
    if (size == 0) return ERR_OK;
    TRY(rundir_path(path, dir, "changes", version_diff_sum(), "diff", err));
    TRY(keep(path, dir, "changes", diff, size, err));
cleanup:
    return rc;
}

/* Before config.cfg: a run that stops between the two has records of files that it does not name.
 */
static enum err_code keep_inputs(const char *dir, const struct plan *plan, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text inputs = {0}, before = {0};
    char path[FILE_PATH_MAX];
    identity_files_write(&inputs, plan->files);
    TRY(text_check(&inputs, err));
    TRY(run_state_read_inputs(&before, dir, err));
    TRY(run_state_inputs_path(path, dir, err));
    if (strcmp(text_str(&inputs), text_str(&before)) != 0)
        TRY(file_replace(path, text_str(&inputs), inputs.size, err));
cleanup:
    text_release(&inputs);
    text_release(&before);
    return rc;
}

enum err_code rundir_keep_config(const char *dir, const struct plan *plan, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text resolved = {0};
    char path[FILE_PATH_MAX], sum[HASH_HEX];
    config_print(&resolved, plan->config);
    TRY(text_check(&resolved, err));
    rundir_config_sum(sum, &resolved);
    TRY(rundir_kept_path(path, dir, sum, err));
    TRY(keep(path, dir, "configs", resolved.data, resolved.size, err));
    TRY(keep_changes(dir, err));
    TRY(keep_inputs(dir, plan, err));
    TRY(run_state_config_path(path, dir, err));
    if (!is_kept(path, &resolved)) TRY(file_replace(path, resolved.data, resolved.size, err));
cleanup:
    text_release(&resolved);
    return rc;
}
