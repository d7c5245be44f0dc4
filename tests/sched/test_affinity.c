/* Jobs that share contexts, on simulated ranks: which starts where, how often contexts are made,
 * and that the load stays balanced. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rng.h"
#include "sched/affinity.h"
#include "sched/queue.h"

enum { JOBS_MAX = 320, RANKS_MAX = 8 };

struct farm {
    struct planned_job jobs[JOBS_MAX];
    double seconds[JOBS_MAX]; /* beside its contexts */
    size_t n;
    int ranks;
    bool shares; /* the queue prefers jobs whose contexts a rank has */
    struct queue *queue;
    struct affinity *affinity;
    double now, free_at[RANKS_MAX];
    size_t job_of[RANKS_MAX]; /* SIZE_MAX: idle */
    bool idle[RANKS_MAX];
    size_t made; /* how often contexts were made */
};

static void add_job(struct farm *f, int family, double seconds, double contexts, double bytes) {
    struct planned_job *job = &f->jobs[f->n];
    *job = (struct planned_job){.cost = {.flops = seconds + contexts,
                                         .memory = bytes,
                                         .load.contexts = contexts,
                                         .context_bytes = bytes,
                                         .keeps_contexts = true,
                                         .group = 1}};
    if (family >= 0) (void)snprintf(job->contexts, sizeof job->contexts, "family %d", family);
    f->seconds[f->n++] = seconds;
}

static void begin(struct farm *f, double memory) {
    struct err err = {0};
    if (queue_create(&f->queue, f->jobs, f->n, f->ranks, QUEUE_LONGEST, &err) != ERR_OK ||
        affinity_create(&f->affinity, f->jobs, f->n, f->ranks, memory, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    queue_begin(f->queue);
    for (int r = 0; r < f->ranks; r++) f->idle[r] = true;
}

static void end(struct farm *f) {
    queue_destroy(f->queue);
    affinity_destroy(f->affinity);
}

static void start(struct farm *f, size_t job) {
    const int rank = affinity_rank(f->affinity, job, 0, f->idle);
    const bool has = affinity_holds(f->affinity, job, rank);
    affinity_started(f->affinity, job, rank, 0);
    f->idle[rank] = false;
    f->job_of[rank] = job;
    f->free_at[rank] = f->now + f->seconds[job] + (has ? 0.0 : f->jobs[job].cost.load.contexts);
    f->made += !has && f->jobs[job].contexts[0];
}

/* The rank that is done first; -1: none works. */
static int next_end(const struct farm *f) {
    int first = -1;
    for (int r = 0; r < f->ranks; r++)
        if (!f->idle[r] && (first < 0 || f->free_at[r] < f->free_at[first])) first = r;
    return first;
}

static int count_idle(const struct farm *f) {
    int n = 0;
    for (int r = 0; r < f->ranks; r++) n += f->idle[r];
    return n;
}

/* Returns when the last job ends. */
static double run(struct farm *f, double memory) {
    const struct queue_filter filter = {NULL, NULL, NULL, NULL};
    begin(f, memory);
    const struct queue_filter near = {NULL, NULL, f->affinity, f->idle};
    for (;;) {
        size_t job;
        int group;
        while (queue_next(&job, &group, f->queue, count_idle(f), f->shares ? &near : &filter))
            start(f, job);
        const int first = next_end(f);
        if (first < 0) break;
        f->now = f->free_at[first];
        f->idle[first] = true;
        queue_done(f->queue, f->job_of[first]);
        affinity_ended(f->affinity, f->job_of[first]);
    }
    assert_int_equal(queue_left(f->queue), 0);
    end(f);
    return f->now;
}

/* `families` of `members` jobs of equal cost, listed as the axes of a config are: members first. */
static void draw_grid(struct farm *f, int ranks, bool shares, int families, int members) {
    *f = (struct farm){.ranks = ranks, .shares = shares};
    for (int m = 0; m < members; m++)
        for (int k = 0; k < families; k++) add_job(f, k, 1.0, 1.0, 1.0);
}

static void each_family_has_its_rank(void **state) {
    (void)state;
    static struct farm f;
    draw_grid(&f, 2, true, 2, 6); /* 12 jobs of 1 s, contexts of 1 s */
    assert_true(fabs(run(&f, 10.0) - 7.0) < 1e-9);
    assert_int_equal(f.made, 2);
    draw_grid(&f, 3, true, 9, 6); /* more families than ranks, which hold one each */
    (void)run(&f, 1.5);
    assert_int_equal(f.made, 9);
}

static void a_family_is_divided_where_ranks_would_idle(void **state) {
    (void)state;
    static struct farm f;
    draw_grid(&f, 2, true, 1, 6);
    assert_true(fabs(run(&f, 10.0) - 4.0) < 1e-9);
    assert_int_equal(f.made, 2);
}

/* A rank that has no room beside its job makes them again. */
static void a_rank_forgets_what_does_not_fit(void **state) {
    (void)state;
    static struct farm f;
    f = (struct farm){.ranks = 1, .shares = true};
    for (int i = 0; i < 3; i++) add_job(&f, i, 1.0, 1.0, 1.0), add_job(&f, i, 1.0, 1.0, 1.0);
    begin(&f, 2.0);
    for (size_t job = 0; job < 6; job += 2) affinity_started(f.affinity, job, 0, 0);
    assert_false(affinity_holds(f.affinity, 1, 0));
    assert_true(affinity_holds(f.affinity, 3, 0) && affinity_holds(f.affinity, 5, 0));
    affinity_lost(f.affinity, 0);
    assert_false(affinity_holds(f.affinity, 5, 0));
    end(&f);
}

/* The last job of a family finds contexts but leaves none. */
static void the_last_of_a_family_keeps_none(void **state) {
    (void)state;
    static struct farm f;
    draw_grid(&f, 2, true, 1, 2);
    begin(&f, 10.0);
    affinity_ended(f.affinity, 0);
    affinity_started(f.affinity, 1, 1, 0);
    assert_false(affinity_holds(f.affinity, 1, 1));
    end(&f);
}

/* A group: each rank takes the part of which it has the contexts. */
static void ranks_of_a_group_keep_their_places(void **state) {
    (void)state;
    static struct farm f;
    const bool idle[3] = {true, true, true};
    draw_grid(&f, 3, true, 1, 3);
    begin(&f, 10.0);
    affinity_started(f.affinity, 0, 2, 0);
    affinity_started(f.affinity, 0, 0, 1);
    assert_int_equal(affinity_rank(f.affinity, 1, 0, idle), 2);
    assert_int_equal(affinity_rank(f.affinity, 1, 1, idle), 0);
    end(&f);
}

/* Pareto times scaled to 60 s in all, in families of 1 to 8 jobs whose contexts cost nothing, so
 * that the order alone is tested: the makespan over max(total / ranks, longest). */
static double stretch_of(struct farm *f, uint64_t seed, size_t n, double tail) {
    const struct rng rng = rng_stream(seed, "test/affinity");
    double total = 0.0, longest = 0.0, times[JOBS_MAX];
    for (size_t i = 0; i < n; i++) {
        times[i] = pow(1.0 - (double)rng_below(1000000, &rng, i, 0, 0) / 1e6, -1.0 / tail);
        total += times[i];
    }
    *f = (struct farm){.ranks = 3, .shares = true};
    for (size_t i = 0; i < n; i++) {
        times[i] *= 60.0 / total;
        longest = fmax(longest, times[i]);
        add_job(f, (int)rng_below((uint32_t)(n / 5), &rng, i, 1, 0), times[i], 0.0, 1.0);
    }
    return run(f, 2.0) / fmax(60.0 / f->ranks, longest);
}

static void heavy_tails_stay_balanced(void **state) {
    (void)state;
    static struct farm f;
    double worst = 0.0;
    size_t seed_of_worst = 0;
    for (uint64_t seed = 0; seed < 300; seed++)
        for (size_t n = 40; n <= 160; n *= 2) {
            const double stretch = stretch_of(&f, seed, n, seed % 2 ? 1.1 : 1.5);
            if (stretch > worst) worst = stretch, seed_of_worst = (size_t)seed;
        }
    if (getenv("TASKVEC_TEST_TIMES")) fprintf(stderr, "at most %.4f of the bound\n", worst);
    if (worst > 1.10) fail_msg("makespan %.4f of the bound (seed %zu)", worst, seed_of_worst);
}

/* With contexts that cost as much as a job, sharing must never take longer than the order alone. */
static void sharing_shortens_the_run(void **state) {
    (void)state;
    static struct farm f;
    for (int ranks = 1; ranks <= 5; ranks += 2) {
        draw_grid(&f, ranks, false, 8, 12);
        const double alone = run(&f, 3.0);
        draw_grid(&f, ranks, true, 8, 12);
        const double shared = run(&f, 3.0);
        if (shared > 0.75 * alone)
            fail_msg("%d ranks: %.1f s, %.1f s without preference", ranks, shared, alone);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_family_has_its_rank),
        cmocka_unit_test(a_family_is_divided_where_ranks_would_idle),
        cmocka_unit_test(a_rank_forgets_what_does_not_fit),
        cmocka_unit_test(the_last_of_a_family_keeps_none),
        cmocka_unit_test(ranks_of_a_group_keep_their_places),
        cmocka_unit_test(heavy_tails_stay_balanced),
        cmocka_unit_test(sharing_shortens_the_run),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
