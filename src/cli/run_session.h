/*
 * run_session.h - what `taskvec run` holds on rank 0, which coordinates, from the config to the end
 * of the attempt. In this order: run_session_open_config(), run_session_make_farm() (run_farm.c),
 * run_session_enter_folder() and run_session_report_notes() (run_folder.c), farm_run().
 */
#ifndef CLI_RUN_SESSION_H
#define CLI_RUN_SESSION_H

#include "cli/options.h"
#include "cli/progress_bar.h"
#include "par/farm.h"
#include "run/plan/plan.h"
#include "run/rundir/provenance.h"
#include "stages/stage_schemas.h"
#include "store/lock.h"

struct run_session { /* of rank 0, which coordinates */
    const struct options *options;
    char *const *argv;
    double began; /* clock_now() */
    struct stage_schemas schemas;
    struct config *config;
    struct plan plan;
    char dir[FILE_PATH_MAX];
    size_t copies; /* rundir_open_config() */
    struct lock lock;
    struct log log;
    struct progress_bar bar;
    struct history past; /* of earlier attempts; the farm takes it over */
    struct text machine;
    struct provenance provenance;
    struct farm_field fields[PROVENANCE_MAX];
    bool *skip; /* [plan.n_jobs]: --only leaves it out */
    struct farm farm;
};

/* The config as the folder has it, and the plan. The errors of a config: ERR_CONFIG. */
enum err_code run_session_open_config(struct run_session *s, struct err *err);

/* Options, plan and provenance as the farm takes them. ERR_USAGE for an option. */
enum err_code run_session_make_farm(struct run_session *s, struct err *err);

/* Locks the folder, reads its journal, refuses another run or another build, and stores the config.
 * ERR_CONFIG, ERR_IO. */
enum err_code run_session_enter_folder(struct run_session *s, struct err *err);

/* What may be a slip in the config, once, when nothing refuses the run any more. */
enum err_code run_session_report_notes(const struct run_session *s, struct err *err);

void run_session_release(struct run_session *s);

#endif
