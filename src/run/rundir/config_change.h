/*
 * config_change.h - how the config of a run differs from the one in its folder: which jobs are new,
 * which are no longer planned, what of these is finished, and whether it is the same run at all.
 */
#ifndef RUN_RUNDIR_CONFIG_CHANGE_H
#define RUN_RUNDIR_CONFIG_CHANGE_H

#include "base/file.h"
#include "run/plan/plan.h"
#include "stages/stage_schemas.h"

enum { CONFIG_CHANGE_NAME = 128 };

struct config_change { /* of a config, compared with that of the attempt before */
    bool changed;
    size_t added, unchanged, gone;        /* jobs */
    size_t added_finished, gone_finished; /* those among them that the journal has as DONE */
    bool same_config;                     /* only files that its jobs read by path have changed */
    char other_name[CONFIG_CHANGE_NAME];  /* of the config in the folder, if it differs; else "" */
    char kept[FILE_PATH_MAX];             /* DIR/configs/SUM.cfg of the config before; "": none */
};

/* Compares with DIR/config.cfg; a file that is missing or no longer opens counts as no change. If
 * its jobs can no longer be planned, only the names are compared. */
void config_change_find(struct config_change *out, const char *dir, const struct plan *plan,
                        const struct stage_schemas *schemas);

/* Appends "DIR: the config changed: N new, ..." in one line: what it costs, and how it comes back.
 * Nothing where nothing changed. */
void config_change_describe(struct text *out, const struct config_change *change, const char *dir);

/* ERR_CONFIG if the folder holds another run: one of another name, or one that shares no job with
 * the plan. The message says how many jobs would be new, unchanged and no longer planned. */
enum err_code config_change_check_owner(const struct config_change *change, const char *dir,
                                        const struct plan *plan, struct err *err);

#endif
