#include "sched/forecast.h"

#include <math.h>
#include <stdlib.h>

struct seat { /* a running job */
    size_t job;
    int group;
    double end;
};

struct forecast {
    struct queue *queue;
    const struct forecast_state *states;
    struct seat *seats; /* [ranks], those in use first */
    size_t n_seats;
    int idle;
    double now;
};

static void take_seat(struct forecast *f, size_t job, int group) {
    f->seats[f->n_seats++] = (struct seat){job, group, f->now + fmax(f->states[job].seconds, 0.0)};
    f->idle -= group;
}

/* A RUNNING job that needs more ranks than there are (the journal is from another number of ranks)
 * counts as pending. */
static void set_states(struct forecast *f, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const struct forecast_state *s = &f->states[i];
        const int group = s->ranks > 1 ? s->ranks : 1;
        if (s->state == QUEUE_DONE) queue_set_done(f->queue, i);
        if (s->state == QUEUE_FAILED) queue_set_failed(f->queue, i);
        if (s->state != QUEUE_RUNNING || group > f->idle) continue;
        queue_set_running(f->queue, i, group);
        take_seat(f, i, group);
    }
    queue_begin(f->queue);
}

static void hand_out(struct forecast *f) {
    static const struct queue_filter any = {0};
    size_t job;
    int group;
    while (queue_next(&job, &group, f->queue, f->idle, &any)) take_seat(f, job, group);
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

enum err_code forecast_make(double *seconds, const struct planned_job *jobs,
                            const struct forecast_state *states, size_t n, int ranks,
                            struct err *err) {
    enum err_code rc = ERR_OK;
    struct forecast f = {.states = states, .idle = ranks};
    f.seats = calloc((size_t)ranks + 1, sizeof *f.seats);
    CHECK(f.seats, ERR_MEMORY, "no memory to simulate %d ranks", ranks);
    TRY(queue_create(&f.queue, jobs, n, ranks, QUEUE_LONGEST, err));
    set_states(&f, n);
    for (hand_out(&f); f.n_seats > 0; hand_out(&f)) end_next(&f);
    *seconds = f.now;
cleanup:
    queue_destroy(f.queue);
    free(f.seats);
    return rc;
}
