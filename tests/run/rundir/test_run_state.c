#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "journal/event.h"
#include "run/plan_case.h"
#include "run/rundir/run_state.h"

/* pretrain, four fits, then evaluations: 17 jobs. */
static const char CHAIN[] = PLAN_CASE_TOP "stages = ( " PLAN_CASE_PRETRAIN ",\n" PLAN_CASE_FIT
                                          ",\n" PLAN_CASE_EVALUATE " );\n";
enum { JOBS = 17 };

static void attempt(struct text *journal, int number) {
    struct text line = {0};
    event_begin(&line, EVENT_ATTEMPT);
    event_integer(&line, "number", number);
    event_end(&line);
    text_bytes(journal, line.data, line.size);
    text_release(&line);
}

static void add(struct text *journal, enum event_kind kind, const struct plan *p, size_t job) {
    struct text line = {0};
    event_begin(&line, kind);
    if (kind != EVENT_END) event_text(&line, "job", p->jobs[job].identity);
    if (kind == EVENT_FAILED) event_text(&line, "class", "segv");
    if (kind == EVENT_FAILED) event_text(&line, "reason", "signal 11");
    event_end(&line);
    text_bytes(journal, line.data, line.size);
    text_release(&line);
}

struct states {
    struct history history;
    struct run_state_job jobs[JOBS];
    size_t count[QUEUE_BLOCKED + 1];
};

static void replay(struct states *s, const struct text *journal, const struct plan *p,
                   bool running) {
    *s = (struct states){0};
    assert_int_equal(p->n_jobs, JOBS);
    assert_int_equal(history_replay(&s->history, text_str(journal), journal->size, NULL), ERR_OK);
    run_state_states(s->jobs, s->count, p, &s->history, NULL, running);
}

static void failures_block_descendants_by_name(void **state) {
    (void)state;
    struct plan_case c;
    struct states s;
    struct text journal = {0};
    plan_case_must_open(&c, CHAIN, NULL);
    attempt(&journal, 1);
    add(&journal, EVENT_START, &c.plan, 0);
    add(&journal, EVENT_DONE, &c.plan, 0);
    add(&journal, EVENT_START, &c.plan, 1);
    add(&journal, EVENT_FAILED, &c.plan, 1);
    replay(&s, &journal, &c.plan, false);
    assert_int_equal(s.jobs[0].state, QUEUE_DONE);
    assert_int_equal(s.jobs[1].state, QUEUE_FAILED);
    assert_string_equal(s.jobs[1].past->reason, "signal 11");
    assert_int_equal(s.jobs[5].state, QUEUE_BLOCKED); /* the evaluation of that fit */
    assert_ptr_equal(s.jobs[5].blocker, &s.jobs[1]);
    assert_int_equal(s.jobs[6].state, QUEUE_PENDING);
    assert_int_equal(s.jobs[9].state, QUEUE_PENDING); /* plain reads the model alone */
    const size_t want[] = {JOBS - 4, 0, 1, 1, 2};
    for (size_t i = 0; i <= QUEUE_BLOCKED; i++) assert_int_equal(s.count[i], want[i]);
    history_release(&s.history);
    text_release(&journal);
    plan_case_close(&c);
}

static void blocking_reaches_grandchildren(void **state) {
    (void)state;
    struct plan_case c;
    struct states s;
    struct text journal = {0};
    plan_case_must_open(&c, CHAIN, NULL);
    attempt(&journal, 1);
    add(&journal, EVENT_START, &c.plan, 0);
    add(&journal, EVENT_FAILED, &c.plan, 0);
    replay(&s, &journal, &c.plan, false);
    assert_int_equal(s.count[QUEUE_BLOCKED], JOBS - 1);
    assert_ptr_equal(s.jobs[16].blocker, &s.jobs[0]);
    history_release(&s.history);
    text_release(&journal);
    plan_case_close(&c);
}

static void running_needs_somebody_who_runs_it(void **state) {
    (void)state;
    struct plan_case c;
    struct states s;
    struct text journal = {0};
    plan_case_must_open(&c, CHAIN, NULL);
    attempt(&journal, 1);
    add(&journal, EVENT_START, &c.plan, 0);
    replay(&s, &journal, &c.plan, true);
    assert_int_equal(s.jobs[0].state, QUEUE_RUNNING);
    history_release(&s.history);
    replay(&s, &journal, &c.plan, false);
    assert_int_equal(s.jobs[0].state, QUEUE_PENDING);
    history_release(&s.history);
    attempt(&journal, 2); /* a new attempt that has not come to it yet */
    replay(&s, &journal, &c.plan, true);
    assert_int_equal(s.jobs[0].state, QUEUE_PENDING);
    history_release(&s.history);
    text_release(&journal);
    plan_case_close(&c);
}

/* What the exit code of `status --exit-code` is made of. */
static int exit_code(const struct text *journal, const struct plan *p, bool alive) {
    struct run_state r = {.holder = {.alive = alive}};
    struct states s;
    replay(&s, journal, p, alive);
    r.history = s.history;
    memcpy(r.count, s.count, sizeof r.count);
    const int code = run_state_exit_code(&r);
    history_release(&s.history);
    return code;
}

static void exit_codes_follow_the_states(void **state) {
    (void)state;
    struct plan_case c;
    struct text journal = {0};
    plan_case_must_open(&c, CHAIN, NULL);
    assert_int_equal(exit_code(&journal, &c.plan, false), 75);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(exit_code(&journal, &c.plan, false), 75);
        attempt(&journal, i);
    }
    assert_int_equal(exit_code(&journal, &c.plan, false), 70); /* three without any result */
    assert_int_equal(exit_code(&journal, &c.plan, true), 75);  /* the third still runs */
    attempt(&journal, 4);
    add(&journal, EVENT_START, &c.plan, 0);
    add(&journal, EVENT_CHECKPOINT, &c.plan, 0);
    assert_int_equal(exit_code(&journal, &c.plan, false), 75); /* a checkpoint is a result */
    for (size_t j = 0; j < JOBS; j++) add(&journal, EVENT_DONE, &c.plan, j);
    assert_int_equal(exit_code(&journal, &c.plan, false), 0);
    assert_int_equal(exit_code(&journal, &c.plan, true), 75); /* results.h5 is being made */
    add(&journal, EVENT_FAILED, &c.plan, 16);
    assert_int_equal(exit_code(&journal, &c.plan, false), 1);
    text_release(&journal);
    plan_case_close(&c);
}

static void no_run_is_told(void **state) {
    (void)state;
    struct run_state r;
    struct err err = {0};
    assert_int_equal(run_state_open(&r, "/nonexistent", &err), ERR_CONFIG);
    assert_non_null(strstr(err.msg, "/nonexistent: no run there"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_block_descendants_by_name),
        cmocka_unit_test(blocking_reaches_grandchildren),
        cmocka_unit_test(running_needs_somebody_who_runs_it),
        cmocka_unit_test(exit_codes_follow_the_states),
        cmocka_unit_test(no_run_is_told),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
