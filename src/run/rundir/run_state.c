#include "run/rundir/run_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "journal/journal.h"
#include "store/artifact.h"

enum { FRUITLESS_ATTEMPTS = 3 }; /* in a row: then the run makes no progress */

static enum err_code path_in(char out[FILE_PATH_MAX], const char *dir, const char *name,
                             struct err *err) {
    const int n = snprintf(out, FILE_PATH_MAX, "%s/%s", dir, name);
    if (n < 0 || n >= FILE_PATH_MAX) return ERR(err, ERR_CONFIG, "%s: path too long", dir);
    return ERR_OK;
}

enum err_code run_state_config_path(char out[FILE_PATH_MAX], const char *dir, struct err *err) {
    return path_in(out, dir, "config.cfg", err);
}

enum err_code run_state_inputs_path(char out[FILE_PATH_MAX], const char *dir, struct err *err) {
    return path_in(out, dir, "inputs", err);
}

/* All but BLOCKED, which depends on the parents. */
static struct run_state_job job_state(const struct planned_job *job, const struct history *h,
                                      const char *dir, bool running) {
    struct run_state_job j = {.job = job, .past = history_find(h, job->identity)};
    const size_t last = h->n_attempts ? h->attempts[h->n_attempts - 1].number : 0;
    j.state = queue_initial_state(j.past, false, &j.lost);
    if (j.state == QUEUE_DONE && dir && j.past->artifact && !artifact_present(dir, j.past))
        j.state = QUEUE_PENDING;
    if (running && j.state == QUEUE_PENDING && j.past && j.past->state == HISTORY_STARTED &&
        j.past->attempt == last)
        j.state = QUEUE_RUNNING;
    return j;
}

/* Parents come first in a plan, so their states are known. */
static void block(struct run_state_job *jobs, size_t j) {
    if (jobs[j].state != QUEUE_PENDING) return;
    for (size_t i = 0; i < jobs[j].job->n_parents; i++) {
        const struct run_state_job *parent = &jobs[jobs[j].job->parents[i]];
        if (parent->state != QUEUE_FAILED && parent->state != QUEUE_BLOCKED) continue;
        jobs[j].state = QUEUE_BLOCKED;
        jobs[j].blocker = parent->state == QUEUE_FAILED ? parent : parent->blocker;
        return;
    }
}

void run_state_states(struct run_state_job *jobs, size_t count[QUEUE_BLOCKED + 1],
                      const struct plan *p, const struct history *h, const char *dir,
                      bool running) {
    for (size_t s = 0; s <= QUEUE_BLOCKED; s++) count[s] = 0;
    for (size_t j = 0; j < p->n_jobs; j++) {
        jobs[j] = job_state(&p->jobs[j], h, dir, running);
        block(jobs, j);
        count[jobs[j].state]++;
    }
}

enum err_code run_state_refresh(struct run_state *r, struct err *err) {
    enum err_code rc = ERR_OK;
    history_release(&r->history);
    lock_look_again(&r->holder, &r->watch, r->dir);
    TRY(journal_history(&r->history, r->dir, err));
    run_state_states(r->jobs, r->count, &r->plan, &r->history, r->dir, r->holder.alive);
cleanup:
    return rc;
}

/* A file instead of a folder: a config, or a file in the folder of a run. */
static enum err_code no_folder(const char *path, struct err *err) {
    char folder[FILE_PATH_MAX] = ".", config[FILE_PATH_MAX];
    struct err ignored = {0};
    const char *slash = strrchr(path, '/');
    if (slash) (void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    if (run_state_config_path(config, folder, &ignored) == ERR_OK && file_exists(config))
        return ERR(err, ERR_CONFIG, "%s: a file in the folder of a run: give the folder, %s", path,
                   folder);
    if (text_ends_with(path, ".cfg"))
        return ERR(err, ERR_CONFIG,
                   "%s: a config, not a run: give the folder of its run (results/NAME unless run "
                   "had -o DIR)",
                   path);
    return ERR(err, ERR_CONFIG, "%s: a file, not the folder of a run", path);
}

enum err_code run_state_read_inputs(struct text *out, const char *dir, struct err *err) {
    enum err_code rc = ERR_OK;
    char path[FILE_PATH_MAX];
    TRY(run_state_inputs_path(path, dir, err));
    if (file_exists(path)) TRY(file_read(out, path, (size_t)16 << 20, err));
cleanup:
    return rc;
}

static void warn_of_changed_files(const struct run_state *r) {
    const struct log log = {.level = LOG_WARNING};
    for (size_t i = 0; i < identity_files_count(r->plan.files); i++) {
        const char *now = identity_files_now(r->plan.files, i);
        if (now)
            log_line(&log, LOG_WARNING,
                     "%s: other content than in the run %s, which is shown as it was computed: "
                     "SHA-256 was %s, is %s",
                     identity_files_path(r->plan.files, i), r->dir,
                     identity_files_hash(r->plan.files, i), now);
    }
}

enum err_code run_state_open(struct run_state *r, const char *dir, struct err *err) {
    enum err_code rc = ERR_OK;
    char path[FILE_PATH_MAX];
    struct text inputs = {0};
    *r = (struct run_state){0};
    TRY(run_state_config_path(path, dir, err));
    memcpy(r->dir, dir, strlen(dir) + 1);
    if (file_exists(dir) && !file_is_folder(dir)) TRY(no_folder(dir, err));
    CHECK(file_exists(path), ERR_CONFIG,
          "%s: no run there (config.cfg is missing); start one with taskvec run CFG -o %s", dir,
          dir);
    TRY(stage_schemas_init(&r->schemas, err));
    r->schemas.whole = journal_is_whole(dir);
    TRY(stage_schemas_open(&r->config, &r->schemas, path, NULL, 0, err));
    TRY(run_state_read_inputs(&inputs, dir, err));
    TRY(plan_make_recorded(&r->plan, r->config, text_str(&inputs), err));
    warn_of_changed_files(r);
    r->jobs = calloc(r->plan.n_jobs + 1, sizeof *r->jobs);
    CHECK(r->jobs, ERR_MEMORY, "no memory for %zu jobs", r->plan.n_jobs);
    TRY(run_state_refresh(r, err));
cleanup:
    text_release(&inputs);
    if (rc != ERR_OK) run_state_release(r);
    return rc;
}

void run_state_release(struct run_state *r) {
    free(r->jobs);
    history_release(&r->history);
    plan_release(&r->plan);
    config_close(r->config);
    stage_schemas_release(&r->schemas);
    *r = (struct run_state){0};
}

/* The last attempts ended without a new DONE job or checkpoint. */
static bool is_stuck(const struct history *h, bool alive) {
    size_t fruitless = 0;
    for (size_t i = h->n_attempts; i > 0; i--) {
        const struct history_attempt *a = &h->attempts[i - 1];
        if (alive && i == h->n_attempts) continue;
        if (a->done > 0 || a->checkpoints > 0) break;
        fruitless++;
    }
    return fruitless >= FRUITLESS_ATTEMPTS;
}

int run_state_exit_code(const struct run_state *r) {
    const size_t left = r->count[QUEUE_PENDING] + r->count[QUEUE_RUNNING];
    int code = EXIT_DONE;
    if (r->count[QUEUE_FAILED] + r->count[QUEUE_BLOCKED] > 0)
        code = err_worse_exit(code, EXIT_FAILED);
    if (left > 0 || r->holder.alive) code = err_worse_exit(code, EXIT_WORK_REMAINS);
    if (left > 0 && is_stuck(&r->history, r->holder.alive)) code = err_worse_exit(code, EXIT_BUG);
    return code;
}

const char *run_state_failure_reason(const struct run_state_job *job) {
    if (job->lost) return "several attempts in a row died while it was running";
    return job->past && job->past->reason ? job->past->reason : "";
}

const char *run_state_failure_class(const struct run_state_job *job) {
    if (job->lost) return "lost";
    return job->past && job->past->failed_class ? job->past->failed_class : "";
}
