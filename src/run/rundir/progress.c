#include "run/rundir/progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sched/eta.h"

enum { MOST_RANKS = 1 << 20 }; /* a larger number in a journal is ignored */

static const struct history_attempt *last_attempt(const struct run_state *r) {
    return r->history.n_attempts ? &r->history.attempts[r->history.n_attempts - 1] : NULL;
}

/* A field of the last attempt, "" if it has none. */
static const char *field(const struct run_state *r, const char *name) {
    const struct history_attempt *a = last_attempt(r);
    const char *value = a ? history_field(a, name) : NULL;
    return value ? value : "";
}

/* "3,4" is two. */
static int count_ranks(const char *ranks) {
    int n = 1;
    for (const char *at = strchr(ranks, ','); at; at = strchr(at + 1, ',')) n++;
    return n;
}

static double fraction(double done, double total) {
    return total > 0.0 ? fmax(0.0, fmin(1.0, done / total)) : 0.0;
}

double progress_reached(const struct run_state *r, size_t job) {
    const struct history_job *past = r->jobs[job].past;
    return past ? fraction(past->done, past->total) : 0.0;
}

double progress_elapsed(const struct run_state *r, size_t job) {
    const struct history_job *past = r->jobs[job].past;
    if (r->jobs[job].state != QUEUE_RUNNING || past->began < 0.0) return nan("");
    return fmax(0.0, clock_since(field(r, "utc")) - past->began); /* clocks may differ */
}

/* ---- hosts: "node1*4 node2*4" are those of the ranks 0 to 7 */

static bool host_of(char out[128], const char *hosts, int rank) {
    int ranks = 0, size = 0;
    for (const char *at = hosts; sscanf(at, "%127[^*]*%d%n", out, &ranks, &size) == 2;) {
        if (ranks < 1) return false;
        if (rank < ranks) return true;
        rank -= ranks;
        at += size + (at[size] == ' ');
    }
    return false;
}

void progress_hosts(struct text *out, const struct run_state *r, size_t job) {
    char host[128], before[128] = "";
    const char *at = r->jobs[job].past ? r->jobs[job].past->ranks : "";
    while (*at) {
        if (host_of(host, field(r, "hosts"), atoi(at)) && strcmp(host, before) != 0)
            text_add(out, "%s%s", before[0] ? ", " : "", host);
        (void)snprintf(before, sizeof before, "%s", host);
        at += strcspn(at, ",");
        at += *at == ',';
    }
}

/* ---- the time to go */

static struct eta_state eta_state_of(const struct run_state *r, size_t j) {
    const struct history_job *past = r->jobs[j].past;
    struct eta_state e = {.state = r->jobs[j].state, .ranks = past ? count_ranks(past->ranks) : 1};
    if (!past) return e;
    if (e.state == QUEUE_DONE) { /* of a job that resumed, only the time since then is known */
        e.seconds = past->share > 0.0 || past->total == 0.0 ? past->seconds : 0.0;
        return e;
    }
    e.reached = progress_reached(r, j);
    e.resumed = fraction(past->resumed, past->total);
    if (e.state != QUEUE_RUNNING) return e;
    e.seconds = fmax(0.0, progress_elapsed(r, j));
    if (past->done > past->resumed && past->marked >= past->began)
        e.marked = fmin(e.seconds, past->marked - past->began);
    return e;
}

static enum err_code find_eta(double *seconds, const struct run_state *r, int ranks,
                              struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = r->plan.n_jobs;
    struct eta_state *states = calloc(n + 1, sizeof *states);
    CHECK(states, ERR_MEMORY, "no memory for %zu jobs", n);
    for (size_t j = 0; j < n; j++) states[j] = eta_state_of(r, j);
    TRY(eta_make(seconds, r->plan.jobs, states, n, r->plan.n_stages, ranks, err));
cleanup:
    free(states);
    return rc;
}

static void add_finished(struct progress *p, const struct run_state_job *job) {
    if (job->state != QUEUE_DONE) return;
    p->computed += job->past->seconds;
    p->found += job->past->found;
    p->made += job->past->made;
}

enum err_code progress_make(struct progress *out, const struct run_state *r, struct err *err) {
    const struct history_attempt *last = last_attempt(r);
    const bool alive = r->holder.alive && last && !last->ended;
    const long ranks = strtol(field(r, "ranks"), NULL, 10);
    *out = (struct progress){.ranks = ranks > 1 && ranks <= MOST_RANKS ? (int)ranks : 1,
                             .running = alive ? fmax(0.0, clock_since(field(r, "utc"))) : nan(""),
                             .done_now = alive ? last->done : 0};
    for (size_t j = 0; j < r->plan.n_jobs; j++) add_finished(out, &r->jobs[j]);
    return find_eta(&out->eta, r, out->ranks, err);
}
