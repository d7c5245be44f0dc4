/* The time to go, against sweeps that were played to their end: what a run's journal would say
 * after a tenth of its time is all that eta_make() sees. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rng.h"
#include "sched/eta.h"

enum { JOBS_MOST = 4096, RANKS_MOST = 64 };

struct sweep {
    struct planned_job jobs[JOBS_MOST];
    double takes[JOBS_MOST];                 /* seconds on its group: what really happens */
    double start[JOBS_MOST], end[JOBS_MOST]; /* once it was played */
    size_t n, n_stages;
    int ranks;
    double makespan;
};

static size_t add(struct sweep *s, size_t stage, int group, double flops, double takes,
                  size_t parent) {
    const size_t j = s->n++;
    assert_true(j < JOBS_MOST);
    s->jobs[j] = (struct planned_job){.stage = stage,
                                      .parents = {parent},
                                      .n_parents = parent != SIZE_MAX,
                                      .cost = {.flops = flops, .group = group}};
    s->takes[j] = takes;
    return j;
}

/* The farm, with the seconds that jobs really take. */
static void play(struct sweep *s) {
    static const struct queue_filter any = {0};
    struct queue *queue = NULL;
    struct err err;
    size_t running[RANKS_MOST], n_running = 0, job;
    int idle = s->ranks, group;
    double now = 0.0;
    assert_int_equal(queue_create(&queue, s->jobs, s->n, s->ranks, QUEUE_LONGEST, &err), ERR_OK);
    queue_begin(queue);
    for (;;) {
        while (queue_next(&job, &group, queue, idle, &any)) {
            s->start[job] = now;
            s->end[job] = now + s->takes[job];
            idle -= group;
            running[n_running++] = job;
        }
        if (n_running == 0) break;
        size_t next = 0;
        for (size_t i = 1; i < n_running; i++)
            if (s->end[running[i]] < s->end[running[next]]) next = i;
        now = s->end[running[next]];
        idle += s->jobs[running[next]].cost.group;
        queue_done(queue, running[next]);
        running[next] = running[--n_running];
    }
    s->makespan = now;
    queue_destroy(queue);
}

/* Stages but the last leave a checkpoint at every tenth of a job. */
static void run(struct eta_state *job, size_t stage, double seconds, double takes) {
    job->state = QUEUE_RUNNING;
    job->seconds = seconds;
    if (stage == 2) return;
    job->reached = floor(10.0 * seconds / takes) / 10.0;
    job->marked = job->reached * takes;
}

/* Relative error of the time to go, as told at `now`. */
static double error_at(const struct sweep *s, double now) {
    struct eta_state states[JOBS_MOST];
    struct err err;
    double eta = -1.0;
    for (size_t j = 0; j < s->n; j++) {
        states[j] = (struct eta_state){.ranks = s->jobs[j].cost.group};
        if (s->end[j] <= now) states[j].state = QUEUE_DONE, states[j].seconds = s->takes[j];
        if (s->start[j] < now && s->end[j] > now)
            run(&states[j], s->jobs[j].stage, now - s->start[j], s->takes[j]);
    }
    assert_int_equal(eta_make(&eta, s->jobs, states, s->n, s->n_stages, s->ranks, &err), ERR_OK);
    const double left = s->makespan - now;
    return fabs(eta - left) / left;
}

struct draw {
    struct rng stream;
    uint64_t at;
};

static double normal(struct draw *d) {
    float x;
    rng_normals(&x, 1, &d->stream, d->at++, 0);
    return (double)x;
}

/* Jobs of one size that take within some percent of the same time. */
static void make_homogeneous(struct sweep *s, uint64_t seed) {
    struct draw d = {.stream = rng_stream(seed, "homogeneous")};
    *s = (struct sweep){.n_stages = 1, .ranks = 8};
    for (int i = 0; i < 200; i++)
        add(s, 0, 1, 1e12, 60.0 * fmax(0.5, 1.0 + 0.1 * normal(&d)), SIZE_MAX);
}

/* Three pretrainings of four ranks each, fits whose sizes spread over two orders of magnitude, an
 * evaluation of each; stages up to twice as slow a flop as others, times 20% off. A tenth of it is
 * longer than a pretraining and the first checkpoint of a fit: before that nobody could know. */
static void make_heterogeneous(struct sweep *s, uint64_t seed) {
    struct draw d = {.stream = rng_stream(seed, "heterogeneous")};
    *s = (struct sweep){.n_stages = 3, .ranks = 16};
    for (int m = 0; m < 3; m++) {
        const size_t model = add(s, 0, 4, 4e13, 80.0 * exp(0.2 * normal(&d)), SIZE_MAX);
        for (int i = 0; i < 600; i++) {
            const double flops = 1e12 * exp(normal(&d));
            const size_t fit = add(s, 1, 1, flops, 15e-12 * flops * exp(0.2 * normal(&d)), model);
            add(s, 2, 1, 0.2 * flops, 0.2 * 10e-12 * flops * exp(0.2 * normal(&d)), fit);
        }
    }
}

static void check(void (*make)(struct sweep *s, uint64_t seed), double most, const char *what) {
    struct sweep *s = malloc(sizeof *s);
    assert_non_null(s);
    double worst = 0.0;
    for (uint64_t seed = 0; seed < 50; seed++) {
        make(s, seed);
        play(s);
        const double error = error_at(s, 0.1 * s->makespan);
        worst = fmax(worst, error);
        if (!(error <= most))
            fail_msg("%s sweep %d: off by %.1f%% after a tenth of %.0f s, more than %.0f%%", what,
                     (int)seed, 100.0 * error, s->makespan, 100.0 * most);
    }
    print_message("%s: the worst of 50 is %.1f%% off after a tenth\n", what, 100.0 * worst);
    free(s);
}

static void test_homogeneous(void **state) {
    (void)state;
    check(make_homogeneous, 0.20, "homogeneous");
}

static void test_heterogeneous(void **state) {
    (void)state;
    check(make_heterogeneous, 0.35, "heterogeneous");
}

static void expect(const struct eta_state *states, double wanted) {
    static const struct planned_job JOBS[] = {{.stage = 0, .cost = {.flops = 10.0, .group = 1}},
                                              {.stage = 1, .cost = {.flops = 20.0, .group = 2}}};
    struct err err;
    double eta = -1.0;
    assert_int_equal(eta_make(&eta, JOBS, states, 2, 2, 2, &err), ERR_OK);
    if (!(fabs(eta - wanted) < 1e-9) && !(isnan(eta) && isnan(wanted)))
        fail_msg("%g s to go, not %g", eta, wanted);
}

static void test_clues(void **state) {
    (void)state;
    struct eta_state states[] = {{.ranks = 1}, {.ranks = 2}};
    expect(states, (double)NAN); /* nobody knows */
    states[0].state = QUEUE_RUNNING;
    states[0].seconds = 3.0;
    expect(states, (double)NAN);
    states[0].reached = 0.5;
    states[0].marked = 2.0; /* half in 2 s, 1 s ago: 1 s to go, then 20 flop on two ranks */
    expect(states, 1.0 + 4.0);
    states[0].resumed = 0.25; /* a quarter in 2 s: 3 s to go, then 20 flop at 0.8 s on two ranks */
    expect(states, 3.0 + 8.0);
    states[0].state = QUEUE_DONE;
    states[0].seconds = 5.0;
    expect(states, 5.0);
    states[1].state = QUEUE_RUNNING; /* of 5 s, 2 are over */
    states[1].seconds = 2.0;
    expect(states, 3.0);
    states[1].seconds = 9.0; /* it takes longer than thought */
    expect(states, 0.0);
    states[1].reached = 0.8; /* its own checkpoint knows better than the other stage */
    states[1].marked = 8.0;
    expect(states, 1.0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_homogeneous),
        cmocka_unit_test(test_heterogeneous),
        cmocka_unit_test(test_clues),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
