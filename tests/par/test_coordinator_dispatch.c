/* Which rank gets which job, and what an order holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "par/coordinator_scene.h"

/* The most expensive jobs first, one on each idle rank, lowest rank first; the next one when a rank
 * is idle again. */
static void test_longest_first(void **state) {
    struct scene s;
    (void)state;
    scene_create(&s, 2, 3);
    s.jobs[1].cost.flops = 5.0;
    s.jobs[2].cost.flops = 3.0;
    scene_begin_first(&s);
    scene_dispatch(&s);
    const uint64_t first = expect_start(&s, 1, 0, "0");
    (void)expect_start(&s, 2, 1, "1");
    scene_dispatch(&s);
    expect_nothing_sent(&s.transport);
    expect_no_line(&s);
    scene_receive_done(&s, 0, first);
    (void)expect_job_line(&s, EVENT_DONE, 1);
    expect_nothing_sent(&s.transport);
    scene_dispatch(&s);
    (void)expect_start(&s, 0, 0, "0");
    expect_nothing_sent(&s.transport);
    expect_no_line(&s);
    scene_destroy(&s);
}

static void test_shortest_first(void **state) {
    struct scene s;
    (void)state;
    scene_create(&s, 1, 2);
    s.jobs[0].cost.flops = 5.0;
    s.farm.shortest_first = true;
    scene_begin_first(&s);
    scene_dispatch(&s);
    (void)expect_start(&s, 1, 0, "0");
    expect_nothing_sent(&s.transport);
    scene_destroy(&s);
}

/* A job whose parent is not done waits, also with an idle rank; a skipped one is never started. */
static void test_parents_and_skip(void **state) {
    struct scene s;
    (void)state;
    scene_create(&s, 3, 3);
    s.jobs[1].parents[0] = 0;
    s.jobs[1].n_parents = 1;
    s.skip[2] = true;
    scene_begin_first(&s);
    scene_dispatch(&s);
    const uint64_t serial = expect_start(&s, 0, 0, "0");
    expect_nothing_sent(&s.transport);
    assert_false(coordinator_is_finished(&s.c));
    scene_receive_done(&s, 0, serial);
    (void)expect_job_line(&s, EVENT_DONE, 0);
    scene_dispatch(&s);
    scene_receive_done(&s, 0, expect_start(&s, 1, 0, "0"));
    (void)expect_job_line(&s, EVENT_DONE, 1);
    scene_dispatch(&s);
    expect_nothing_sent(&s.transport);
    expect_no_line(&s);
    assert_true(coordinator_is_finished(&s.c));
    scene_destroy(&s);
}

/* The payload of an order: head, ranks of the group, identity, directory, text. */
static void expect_order(const struct scene *s, const struct fake_message *m, int group_rank,
                         int group, size_t job) {
    struct message_order o;
    int32_t ranks[4];
    char text[16];
    memcpy(&o, m->payload, sizeof o);
    assert_int_equal(m->tag, TAG_WORKER);
    assert_int_equal(o.group_rank, group_rank);
    assert_int_equal(o.group_size, group);
    assert_int_equal(o.memory, s->farm.memory);
    assert_int_equal(o.planned, (size_t)s->jobs[job].cost.memory);
    assert_true(o.hang_after == 600.0);
    memcpy(ranks, m->payload + sizeof o, (size_t)group * sizeof *ranks);
    for (int i = 0; i < group; i++) assert_int_equal(ranks[i], i);
    const char *identity = m->payload + sizeof o + (size_t)group * sizeof *ranks;
    const char *dir = identity + strlen(identity) + 1;
    (void)snprintf(text, sizeof text, "order %zu", job);
    assert_string_equal(identity, s->jobs[job].identity);
    assert_string_equal(dir, s->c.dir);
    assert_string_equal(dir + strlen(dir) + 1, text);
}

/* A group: one order a rank with the same serial; it waits until enough ranks are idle. */
static void test_group(void **state) {
    struct scene s;
    (void)state;
    scene_create(&s, 3, 2);
    s.jobs[0].cost.flops = 9.0;
    s.jobs[1].cost.group = 3;
    s.jobs[1].cost.memory = 77;
    scene_begin_first(&s);
    scene_dispatch(&s);
    const uint64_t first = expect_start(&s, 0, 0, "0");
    expect_nothing_sent(&s.transport);
    scene_receive_done(&s, 0, first);
    (void)expect_job_line(&s, EVENT_DONE, 0);
    scene_dispatch(&s);
    expect_field(expect_job_line(&s, EVENT_START, 1), "ranks", "0,1,2");
    for (int rank = 0; rank < 3; rank++) {
        const struct fake_message *m = expect_sent(&s.transport, rank, MESSAGE_ORDER);
        assert_int_equal(m->head.serial, first + 1);
        expect_order(&s, m, rank, 3, 1);
    }
    expect_nothing_sent(&s.transport);
    expect_no_line(&s);
    scene_destroy(&s);
}

/* More ranks than there are: all of them. */
static void test_group_is_clamped(void **state) {
    struct scene s;
    (void)state;
    scene_create(&s, 2, 1);
    s.jobs[0].cost.group = 8;
    scene_begin_first(&s);
    scene_dispatch(&s);
    (void)expect_start(&s, 0, 0, "0,1");
    expect_order(&s, expect_sent(&s.transport, 1, MESSAGE_ORDER), 1, 2, 0);
    expect_nothing_sent(&s.transport);
    scene_destroy(&s);
}

static int32_t fault_of(const struct fake_message *m) {
    struct message_order o;
    memcpy(&o, m->payload, sizeof o);
    return o.inject;
}

/* A fault goes to the last rank of the group; one of the storage to all, for one of them writes. */
static void test_injected_faults(void **state) {
    static const struct {
        const char *spec;
        int32_t first, last;
    } CASES[] = {{"segv@job:0", INJECT_NONE, INJECT_SEGV},
                 {"eio@job:0", INJECT_EIO, INJECT_EIO},
                 {"segv@job:1", INJECT_NONE, INJECT_NONE}};
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct scene s;
        scene_create(&s, 2, 2);
        s.jobs[0].cost.group = 2;
        s.jobs[0].cost.flops = 2.0;
        assert_int_equal(setenv("TASKVEC_INJECT", CASES[i].spec, 1), 0);
        scene_begin_first(&s);
        scene_dispatch(&s);
        assert_int_equal(fault_of(expect_sent(&s.transport, 0, MESSAGE_ORDER)), CASES[i].first);
        assert_int_equal(fault_of(expect_sent(&s.transport, 1, MESSAGE_ORDER)), CASES[i].last);
        expect_nothing_sent(&s.transport);
        (void)unsetenv("TASKVEC_INJECT");
        scene_destroy(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_longest_first),    cmocka_unit_test(test_shortest_first),
        cmocka_unit_test(test_parents_and_skip), cmocka_unit_test(test_group),
        cmocka_unit_test(test_group_is_clamped), cmocka_unit_test(test_injected_faults),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
