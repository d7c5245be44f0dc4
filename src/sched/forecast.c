#include "sched/forecast.h"

#include <math.h>
#include <stdlib.h>

static const double FIRST = 1e300; /* cost of what runs already: it is handed out before all else */

struct seat { /* a job in work */
    size_t job;
    int group;
    double end;
};

struct forecast {
    struct queue *queue;
    const struct forecast_job *jobs;
    struct seat *seats; /* [ranks], those in use first */
    size_t n_seats;
    int idle;
    double now;
};

static enum err_code make_queue(struct queue **out, const struct forecast_job *jobs, size_t n,
                                int ranks, struct err *err) {
    enum err_code rc = ERR_OK;
    struct queue_job *all = calloc(n ? n : 1, sizeof *all);
    CHECK(all, ERR_MEMORY, "no memory to look ahead over %zu jobs", n);
    for (size_t i = 0; i < n; i++)
        all[i] = (struct queue_job){.parents = jobs[i].parents,
                                    .n_parents = jobs[i].n_parents,
                                    .cost = jobs[i].state == QUEUE_RUNNING ? FIRST : jobs[i].cost,
                                    .group = jobs[i].group};
    TRY(queue_create(out, all, n, ranks, QUEUE_LONGEST, err));
    for (size_t i = 0; i < n; i++) {
        if (jobs[i].state == QUEUE_DONE) queue_set_done(*out, i);
        if (jobs[i].state == QUEUE_FAILED) queue_set_failed(*out, i);
    }
    queue_begin(*out);
cleanup:
    free(all);
    return rc;
}

static void hand_out(struct forecast *f) {
    static const struct queue_filter any = {0};
    struct seat *s = &f->seats[f->n_seats];
    while (f->idle > 0 && queue_next(&s->job, &s->group, f->queue, f->idle, &any)) {
        s->end = f->now + fmax(f->jobs[s->job].seconds, 0.0);
        f->idle -= s->group;
        s = &f->seats[++f->n_seats];
    }
}

static void end_next(struct forecast *f) {
    size_t next = 0;
    for (size_t i = 1; i < f->n_seats; i++)
        if (f->seats[i].end < f->seats[next].end) next = i;
    f->now = f->seats[next].end;
    f->idle += f->seats[next].group;
    queue_done(f->queue, f->seats[next].job);
    f->seats[next] = f->seats[--f->n_seats];
}

enum err_code forecast_make(double *seconds, const struct forecast_job *jobs, size_t n, int ranks,
                            struct err *err) {
    enum err_code rc = ERR_OK;
    struct forecast f = {.jobs = jobs, .idle = ranks};
    f.seats = calloc((size_t)ranks + 1, sizeof *f.seats);
    CHECK(f.seats, ERR_MEMORY, "no memory to look ahead on %d ranks", ranks);
    TRY(make_queue(&f.queue, jobs, n, ranks, err));
    for (hand_out(&f); f.n_seats > 0; hand_out(&f)) end_next(&f);
    *seconds = f.now;
cleanup:
    queue_destroy(f.queue);
    free(f.seats);
    return rc;
}
