/*
 * run_state.h - a run as its directory records it: the config, its plan, and the state of each job
 * by the journal.  Why a job runs again: explain.h.
 *
 * The directory:
 *
 *     DIR/config.cfg   the resolved config of the last attempt, paths absolute
 *     DIR/inputs       the files that its jobs read by path: hash, trained points, path of each
 *     DIR/configs/     the resolved config of every attempt, named by its SHA-256
 *     DIR/changes/     local changes of the builds that had any, named by their SHA-256
 *     DIR/journal      the events of all attempts, the only record of progress
 *     DIR/artifacts/   tensors of finished jobs
 *     DIR/results.h5   tables, rebuilt whenever an attempt ends
 */
#ifndef RUN_RUNDIR_RUN_STATE_H
#define RUN_RUNDIR_RUN_STATE_H

#include "base/file.h"
#include "journal/history.h"
#include "run/plan/plan.h"
#include "sched/queue.h"
#include "stages/stage_schemas.h"
#include "store/lock.h"

struct run_state_job {
    const struct planned_job *job;
    enum queue_state state;
    const struct history_job *past;      /* NULL: never started */
    const struct run_state_job *blocker; /* BLOCKED: the ancestor that FAILED; else NULL */
    bool lost; /* FAILED because it was running when several attempts in a row died */
};

struct run_state {
    char dir[FILE_PATH_MAX];
    struct stage_schemas schemas;
    struct config *config;
    struct plan plan;
    struct history history;
    struct lock_holder holder;
    struct lock_watch watch;
    struct run_state_job *jobs; /* [plan.n_jobs] */
    size_t count[QUEUE_BLOCKED + 1];
};

/* The plan is that of the last attempt: files that its jobs read by path count with the content of
 * then, so that the folder alone answers. A warning names a file that has other content now.
 * ERR_CONFIG when DIR holds no run. Needs no lock and no MPI. */
enum err_code run_state_open(struct run_state *r, const char *dir, struct err *err);

/* DIR/inputs, empty if there is none. */
enum err_code run_state_read_inputs(struct text *out, const char *dir, struct err *err);

void run_state_release(struct run_state *r); /* idempotent */

/* Reads lock and journal again; config and plan stay. */
enum err_code run_state_refresh(struct run_state *r, struct err *err);

enum err_code run_state_config_path(char out[FILE_PATH_MAX], const char *dir, struct err *err);
enum err_code run_state_inputs_path(char out[FILE_PATH_MAX], const char *dir, struct err *err);

/* The state of each job of a plan by a history; `running`: the run is alive now. A DONE job whose
 * artifact is missing from `dir` or truncated is PENDING, as for the farm: it runs again. dir NULL:
 * the history alone decides. */
void run_state_states(struct run_state_job *jobs, size_t count[QUEUE_BLOCKED + 1],
                      const struct plan *p, const struct history *h, const char *dir, bool running);

/* The exit code for the states: done, failed or work remains; EXIT_BUG after three
 * attempts in a row that ended without a new DONE job or checkpoint. */
int run_state_exit_code(const struct run_state *r);

/* Why a job is FAILED: "nan", and the reason; "lost" for a job that was running when they died. */
const char *run_state_failure_class(const struct run_state_job *job);
const char *run_state_failure_reason(const struct run_state_job *job);

#endif
