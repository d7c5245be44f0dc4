/* Resume: which jobs earlier attempts finished, and whether the files they left can be trusted. */
#include <stdlib.h>

#include "par/coordinator.h"
#include "store/artifact.h"

static const struct history_job *find_past(const struct coordinator *c, size_t job) {
    return history_find(&c->history, c->f->jobs[job].identity);
}

static void warn_runs_again(const struct coordinator *c, size_t job, const char *why) {
    log_line(&c->f->log, LOG_WARNING, "%s: its artifact %s: it runs again", c->f->jobs[job].label,
             why);
}

/* The artifact of a DONE job exists and has its size. */
static bool is_present(const struct coordinator *c, size_t job, const struct history_job *past) {
    if (!past->artifact || artifact_present(c->dir, past)) return true;
    warn_runs_again(c, job, "is missing or truncated");
    return false;
}

/* The artifact of a DONE job has the SHA-256 of its DONE line. */
static bool is_sound(const struct coordinator *c, size_t job) {
    const struct history_job *past = find_past(c, job);
    if (!past->artifact || artifact_sound(c->dir, past)) return true;
    warn_runs_again(c, job, "is damaged");
    return false;
}

static enum queue_state state_of(struct coordinator *c, size_t job, bool *lost) {
    const struct history_job *past = find_past(c, job);
    const enum queue_state state = queue_initial_state(past, c->f->retry_failed, lost);
    c->checkpointed[job] = past && past->state != HISTORY_DONE && past->total > 0.0;
    return state == QUEUE_DONE && !is_present(c, job, past) ? QUEUE_PENDING : state;
}

/* A damaged file would change the results of the jobs that read it, so each file that a pending job
 * will read is compared with its DONE line, once. Reading all files of a large run would take too
 * long. The loop goes from the last job to the first, since parents come before their children, and
 * a parent that runs again reads its own parents. */
static void check_inputs(const struct coordinator *c, enum queue_state *states, bool *checked) {
    for (size_t i = c->f->n_jobs; i-- > 0;) {
        const bool skip = c->f->skip && c->f->skip[i];
        const struct planned_job *job = &c->f->jobs[i];
        for (size_t k = 0; states[i] == QUEUE_PENDING && !skip && k < job->n_parents; k++) {
            const size_t parent = job->parents[k];
            if (checked[parent] || states[parent] != QUEUE_DONE) continue;
            checked[parent] = true;
            if (!is_sound(c, parent)) states[parent] = QUEUE_PENDING;
        }
    }
}

enum err_code coordinator_resume(struct coordinator *c, bool *lost, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = c->f->n_jobs;
    enum queue_state *states = calloc(n + 1, sizeof *states);
    bool *checked = calloc(n + 1, sizeof *checked);
    CHECK(states && checked, ERR_MEMORY, "no memory for %zu jobs", n);
    for (size_t i = 0; i < n; i++) states[i] = state_of(c, i, &lost[i]);
    check_inputs(c, states, checked);
    for (size_t i = 0; i < n; i++) {
        if (states[i] == QUEUE_DONE) queue_set_done(c->queue, i);
        if (states[i] == QUEUE_FAILED) queue_set_failed(c->queue, i);
        const bool skip = c->f->skip && c->f->skip[i];
        if (c->affinity && (skip || states[i] != QUEUE_PENDING)) affinity_ended(c->affinity, i);
    }
cleanup:
    free(states);
    free(checked);
    return rc;
}
