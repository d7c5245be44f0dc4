/* The scheduler with simulated ranks: no clock but the one below, no MPI. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "sched/queue.h"

enum { JOBS_MAX = 400, RANKS_MAX = 8 };
static const struct queue_filter ANY = {.may = NULL};

static struct queue *make_in(enum queue_order order, const struct planned_job *jobs, size_t n,
                             int ranks) {
    struct queue *q = NULL;
    struct err err = {0};
    if (queue_create(&q, jobs, n, ranks, order, &err) != ERR_OK) fail_msg("%s", err.msg);
    return q;
}

static struct queue *make(const struct planned_job *jobs, size_t n, int ranks) {
    return make_in(QUEUE_LONGEST, jobs, n, ranks);
}

static void expect_next(struct queue *q, int idle, size_t job, int group) {
    size_t j = SIZE_MAX;
    int g = 0;
    assert_true(queue_next(&j, &g, q, idle, &ANY));
    assert_int_equal(j, job);
    assert_int_equal(g, group);
}

static void expect_none(struct queue *q, int idle) {
    size_t j;
    int g;
    assert_false(queue_next(&j, &g, q, idle, &ANY));
}

static void test_longest_first(void **state) {
    (void)state;
    const struct planned_job jobs[] = {
        {.cost.flops = 1}, {.cost.flops = 3}, {.cost.flops = 2}, {.cost.flops = 3}};
    struct queue *q = make(jobs, 4, 4);
    queue_begin(q);
    expect_next(q, 1, 1, 1);
    expect_next(q, 1, 3, 1);
    expect_none(q, 0);
    expect_next(q, 1, 2, 1);
    expect_next(q, 1, 0, 1);
    expect_none(q, 1);
    queue_destroy(q);
}

static void test_shortest_first(void **state) {
    (void)state;
    const struct planned_job jobs[] = {
        {.cost.flops = 1}, {.cost.flops = 3}, {.cost.flops = 2}, {.cost.flops = 1}};
    struct queue *q = make_in(QUEUE_SHORTEST, jobs, 4, 4);
    queue_begin(q);
    expect_next(q, 4, 0, 1);
    expect_next(q, 3, 3, 1);
    expect_next(q, 2, 2, 1);
    expect_next(q, 1, 1, 1);
    queue_destroy(q);
}

static bool is_small(const void *context, size_t job, int group) {
    const double *most = context;
    static const double COST[] = {9, 4, 4, 1};
    return COST[job] / group <= *most;
}

/* Who the filter refuses is passed over and stays ready; a refused group keeps no ranks idle. */
static void test_filter(void **state) {
    (void)state;
    const struct planned_job jobs[] = {{.cost.flops = 9},
                                       {.cost = {.flops = 4, .group = 2}},
                                       {.cost.flops = 4},
                                       {.cost.flops = 1}};
    double most = 1.5;
    const struct queue_filter small = {.may = is_small, .context = &most};
    size_t job = SIZE_MAX;
    int group = 0;
    struct queue *q = make(jobs, 4, 3);
    queue_begin(q);
    assert_true(queue_next(&job, &group, q, 1, &small));
    assert_int_equal(job, 3); /* not the group: it may not start even with its ranks */
    assert_false(queue_next(&job, &group, q, 2, &small));
    most = 2.0;
    assert_true(queue_next(&job, &group, q, 2, &small));
    assert_int_equal(job, 1);
    assert_int_equal(group, 2);
    assert_int_equal(queue_left(q), 2);
    queue_done(q, 3);
    assert_false(queue_next(&job, &group, q, 1, &small));
    expect_next(q, 1, 0, 1);
    queue_destroy(q);
}

static void test_parents_and_blocking(void **state) {
    (void)state;
    const struct planned_job jobs[] = {
        {.cost.flops = 1},
        {.cost.flops = 1, .parents = {0}, .n_parents = 1},
        {.cost.flops = 9},
        {.cost.flops = 1, .parents = {1, 2}, .n_parents = 2},
    };
    size_t count[QUEUE_BLOCKED + 1];
    double done, left;
    struct queue *q = make(jobs, 4, 2);
    queue_begin(q);
    expect_next(q, 2, 2, 1);
    expect_next(q, 1, 0, 1);
    expect_none(q, 1);
    queue_progress(q, 2, 0.5);
    queue_cost(&done, &left, q);
    assert_true(done == 4.5 && left == 7.5);
    queue_failed(q, 0);
    assert_int_equal(queue_state_of(q, 1), QUEUE_BLOCKED);
    assert_int_equal(queue_state_of(q, 3), QUEUE_BLOCKED);
    assert_int_equal(queue_blocker(q, 3), 0);
    queue_done(q, 2);
    expect_none(q, 2);
    queue_count(count, q);
    assert_int_equal(count[QUEUE_DONE], 1);
    assert_int_equal(count[QUEUE_FAILED], 1);
    assert_int_equal(count[QUEUE_BLOCKED], 2);
    assert_int_equal(queue_left(q), 0);
    queue_destroy(q);
}

static void test_past_and_skip(void **state) {
    (void)state;
    const struct planned_job jobs[] = {
        {.cost.flops = 1},
        {.cost.flops = 1, .parents = {0}, .n_parents = 1},
        {.cost.flops = 1, .parents = {1}, .n_parents = 1},
    };
    struct queue *q = make(jobs, 3, 1);
    queue_set_skipped(q, 0);
    queue_begin(q); /* the first is left out: nothing can start */
    assert_int_equal(queue_left(q), 0);
    expect_none(q, 1);
    queue_destroy(q);
    q = make(jobs, 3, 1);
    queue_set_skipped(q, 0);
    queue_set_done(q, 0); /* left out, but done before */
    queue_begin(q);
    assert_int_equal(queue_left(q), 2);
    expect_next(q, 1, 1, 1);
    queue_stopped(q, 1);
    expect_next(q, 1, 1, 1);
    queue_done(q, 1);
    expect_next(q, 1, 2, 1);
    queue_destroy(q);
    q = make(jobs, 3, 1);
    queue_set_skipped(q, 0);
    queue_set_failed(q, 0);
    queue_begin(q);
    assert_int_equal(queue_state_of(q, 2), QUEUE_BLOCKED);
    assert_int_equal(queue_blocker(q, 2), 0);
    queue_destroy(q);
}

static void test_cycle(void **state) {
    (void)state;
    const struct planned_job cycle[] = {{.parents = {1}, .n_parents = 1},
                                        {.parents = {0}, .n_parents = 1}};
    const struct planned_job far[] = {{.parents = {5}, .n_parents = 1}};
    struct queue *q = NULL;
    struct err err;
    assert_int_equal(queue_create(&q, cycle, 2, 1, QUEUE_LONGEST, &err), ERR_CONFIG);
    assert_non_null(strstr(err.msg, "cycle"));
    assert_int_equal(queue_create(&q, far, 1, 1, QUEUE_LONGEST, &err), ERR_CONFIG);
    assert_non_null(strstr(err.msg, "job 0 reads job 5 of 1"));
}

/* A group job that is the longest waits for its ranks; small jobs overtake a bounded number of
 * times although they come without end. */
static void test_no_starving(void **state) {
    (void)state;
    static struct planned_job jobs[JOBS_MAX];
    size_t running[2] = {0}, job;
    int group, overtakers = 0;
    for (size_t i = 0; i < JOBS_MAX; i++) jobs[i] = (struct planned_job){.cost.flops = 1};
    jobs[7] = (struct planned_job){.cost = {.flops = 1.5, .group = 2}};
    jobs[0].cost.flops = jobs[1].cost.flops = 2;
    struct queue *q = make(jobs, JOBS_MAX, 2);
    queue_begin(q);
    expect_next(q, 2, 0, 1);
    expect_next(q, 1, 1, 1);
    running[0] = 0, running[1] = 1;
    for (int turn = 0;; turn++) { /* one rank after the other is done */
        queue_done(q, running[turn % 2]);
        if (!queue_next(&job, &group, q, 1, &ANY)) break;
        assert_int_equal(group, 1);
        running[turn % 2] = job;
        assert_true(++overtakers <= QUEUE_OVERTAKE * 2);
    }
    expect_none(q, 1);
    size_t other = SIZE_MAX; /* the rank that still works */
    for (size_t i = 0; i < 2; i++)
        if (queue_state_of(q, running[i]) == QUEUE_RUNNING) other = running[i];
    assert_true(other != SIZE_MAX);
    queue_done(q, other);
    expect_next(q, 2, 7, 2);
    queue_destroy(q);
}

/* A job longer than what the waiting group waits for does not overtake it. */
static void test_no_long_overtaker(void **state) {
    (void)state;
    const struct planned_job jobs[] = {{.cost = {.flops = 10, .group = 1}},
                                       {.cost = {.flops = 9, .group = 2}},
                                       {.cost.flops = 8},
                                       {.cost.flops = 0.5}};
    struct queue *q = make(jobs, 4, 2);
    queue_begin(q);
    expect_next(q, 2, 0, 1);
    queue_progress(q, 0, 0.9); /* 1 of 10 is left */
    expect_next(q, 1, 3, 1);   /* not the one of cost 8 */
    queue_done(q, 3);
    expect_none(q, 1);
    queue_done(q, 0);
    expect_next(q, 2, 1, 2);
    queue_destroy(q);
}

/* Ranks that the waiting group will not need are for anybody, however long. */
static void test_spare_ranks(void **state) {
    (void)state;
    const struct planned_job jobs[] = {{.cost = {.flops = 40, .group = 4}},
                                       {.cost = {.flops = 36, .group = 4}},
                                       {.cost.flops = 20},
                                       {.cost.flops = 19},
                                       {.cost.flops = 18}};
    struct queue *q = make(jobs, 5, 6);
    queue_begin(q);
    expect_next(q, 6, 0, 4); /* for 10 */
    expect_next(q, 2, 2, 1); /* for 20 */
    queue_progress(q, 0, 0.5);
    expect_next(q, 1, 3, 1); /* six less four less this one: four for the group */
    queue_done(q, 0);
    expect_next(q, 4, 1, 4);
    queue_destroy(q);
}

/* Simulated ranks work through random plans: everything ends, nothing runs before its parents or on
 * more ranks than there are, and it never comes to a stand. */
static void simulate(uint64_t seed, int ranks, enum queue_order order) {
    static struct planned_job jobs[JOBS_MAX];
    double ends[RANKS_MAX] = {0}, now = 0.0;
    size_t running[RANKS_MAX], n_running = 0, count[QUEUE_BLOCKED + 1];
    int groups[RANKS_MAX], idle = ranks;
    const struct rng rng = rng_stream(seed, "test/queue");
    for (size_t i = 0; i < JOBS_MAX; i++) {
        jobs[i] = (struct planned_job){.cost.flops = 1.0 + (double)rng_below(100, &rng, i, 0, 0)};
        jobs[i].cost.group = rng_below(5, &rng, i, 1, 0) ? 1 : 2 + (int)rng_below(6, &rng, i, 2, 0);
        jobs[i].n_parents = i < 20 ? 0 : (size_t)rng_below(3, &rng, i, 3, 0);
        for (size_t k = 0; k < jobs[i].n_parents; k++)
            jobs[i].parents[k] = (size_t)rng_below(i, &rng, i, 4, k);
    }
    struct queue *q = make_in(order, jobs, JOBS_MAX, ranks);
    queue_begin(q);
    while (queue_left(q) > 0 || n_running > 0) {
        size_t job, first = 0;
        int group;
        while (queue_next(&job, &group, q, idle, &ANY)) {
            for (size_t k = 0; k < jobs[job].n_parents; k++)
                assert_int_equal(queue_state_of(q, jobs[job].parents[k]), QUEUE_DONE);
            assert_true(group <= idle && group <= jobs[job].cost.group);
            idle -= group;
            groups[n_running] = group;
            ends[n_running] = now + jobs[job].cost.flops / group;
            running[n_running++] = job;
        }
        assert_true(n_running > 0); /* otherwise it would wait for ever */
        for (size_t i = 1; i < n_running; i++)
            if (ends[i] < ends[first]) first = i;
        now = ends[first];
        idle += groups[first];
        queue_done(q, running[first]);
        n_running--;
        running[first] = running[n_running];
        ends[first] = ends[n_running];
        groups[first] = groups[n_running];
    }
    queue_count(count, q);
    assert_int_equal(count[QUEUE_DONE], JOBS_MAX);
    assert_int_equal(idle, ranks);
    queue_destroy(q);
}

static void test_simulation(void **state) {
    (void)state;
    for (int ranks = 1; ranks <= RANKS_MAX; ranks++)
        for (uint64_t seed = 0; seed < 10; seed++)
            simulate(seed, ranks, seed % 2 ? QUEUE_SHORTEST : QUEUE_LONGEST);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_longest_first), cmocka_unit_test(test_shortest_first),
        cmocka_unit_test(test_filter),        cmocka_unit_test(test_parents_and_blocking),
        cmocka_unit_test(test_past_and_skip), cmocka_unit_test(test_cycle),
        cmocka_unit_test(test_no_starving),   cmocka_unit_test(test_no_long_overtaker),
        cmocka_unit_test(test_spare_ranks),   cmocka_unit_test(test_simulation),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
