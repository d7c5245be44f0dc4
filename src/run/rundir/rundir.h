/*
 * rundir.h - the directory of a run: its name, and the configs stored in it. config_change.h says
 * how a new config differs.
 */
#ifndef RUN_RUNDIR_RUNDIR_H
#define RUN_RUNDIR_RUNDIR_H

#include "base/file.h"
#include "run/plan/plan.h"
#include "run/plan/plan_notes.h"
#include "stages/stage_schemas.h"

/* `given`, or results/NAME when it is NULL. */
enum err_code rundir_name(char out[FILE_PATH_MAX], const struct config *config, const char *given,
                          struct err *err);

struct rundir_config { /* a config for a folder */
    const char *path, *const *sets;
    size_t n_sets;
    const char *folder; /* as `given` above */
};

/* Opens the config as the run in its folder has it: where a program before 0.3.0 began that run,
 * jobs that differ only in keys that they do not read stay jobs of their own (s->whole), because
 * their identities are those of the finished ones. *copies: how many points that adds. */
enum err_code rundir_open_config(struct config **out, char dir[FILE_PATH_MAX], size_t *copies,
                                 struct stage_schemas *s, const struct rundir_config *c,
                                 struct err *err);
/* Notes that, where there are copies. */
enum err_code rundir_note_copies(struct plan_notes *out, const char *dir, size_t copies,
                                 struct err *err);

/* SHA-256 of a resolved config: the field `config` of an attempt, and its name in DIR/configs. */
void rundir_config_sum(char out[HASH_HEX], const struct text *resolved);
enum err_code rundir_kept_path(char out[FILE_PATH_MAX], const char *dir, const char *sum,
                               struct err *err);

/* Writes DIR/config.cfg, resolved, DIR/configs/SUM.cfg and DIR/inputs, unless they have this
 * content already, and the local changes of this build as DIR/changes/SUM.diff, if it has any. */
enum err_code rundir_keep_config(const char *dir, const struct plan *plan, struct err *err);

#endif
