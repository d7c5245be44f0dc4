/* What earlier attempts left: which jobs are done, and whether what they left can be trusted. */
#include <stdlib.h>

#include "par/coordinator.h"
#include "store/artifact.h"

static const struct history_job *past_of(const struct coordinator *c, size_t job) {
    return history_find(&c->past, c->f->jobs[job].identity);
}

static bool says_why(const struct coordinator *c, size_t job, const char *why) {
    log_line(&c->f->log, LOG_WARNING, "%s: its artifact %s: it runs again", c->f->jobs[job].label,
             why);
    return false;
}

/* True if the job counts as done: what it left must still be there. */
static bool is_whole(const struct coordinator *c, size_t job, const struct history_job *past) {
    if (!past->artifact || artifact_present(c->dir, past)) return true;
    return says_why(c, job, "is gone or cut short");
}

static bool is_sound(const struct coordinator *c, size_t job) {
    const struct history_job *past = past_of(c, job);
    if (!past->artifact || artifact_sound(c->dir, past)) return true;
    return says_why(c, job, "is damaged");
}

static enum queue_state state_of(struct coordinator *c, size_t job, bool *lost) {
    const struct history_job *past = past_of(c, job);
    const enum queue_state state = queue_past(past, c->f->retry_failed, lost);
    c->checkpointed[job] = past && past->state != HISTORY_DONE && past->total > 0.0;
    return state == QUEUE_DONE && !is_whole(c, job, past) ? QUEUE_PENDING : state;
}

/* A damaged file would give those who read it other results: what jobs to come will read is
 * compared with its DONE line, each file once. Children first: parents stand before them. */
static void check_inputs(const struct coordinator *c, enum queue_state *states, bool *checked) {
    for (size_t i = c->f->n_jobs; i-- > 0;) {
        const struct farm_job *job = &c->f->jobs[i];
        for (size_t k = 0; states[i] == QUEUE_PENDING && !job->skip && k < job->n_parents; k++) {
            const size_t parent = job->parents[k];
            if (checked[parent] || states[parent] != QUEUE_DONE) continue;
            checked[parent] = true;
            if (!is_sound(c, parent)) states[parent] = QUEUE_PENDING;
        }
    }
}

enum err_code coordinator_set_past(struct coordinator *c, bool *lost, struct err *err) {
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
    }
cleanup:
    free(states);
    free(checked);
    return rc;
}
