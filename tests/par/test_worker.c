/* The worker of one rank with a real compute child (this program started again as `--child FD`) and
 * a fake transport: what it reports to the coordinator. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "par/fake_transport.h"
#include "par/farm.h"
#include "par/worker.h"

static const double TIMEOUT = 60.0; /* seconds for anything that a child does */

/* ---------------------------------------------------------------- the child */

static enum err_code wait_for_stop(struct job_ctx *ctx, struct err *err) {
    while (!job_should_stop(ctx)) clock_sleep(1e-3);
    return ERR(err, ERR_STOPPED, "stopped");
}

/* The rows of these jobs: one integer. */
static const struct job_column NUMBER[] = {{.name = "number", .type = JOB_INT}};
static const struct job_columns COLUMNS = {NUMBER, 1};

/* Sends one number to the other rank of its group and gives the one that comes back as a row. */
static enum err_code exchange(struct job_ctx *ctx, struct err *err) {
    enum err_code rc = ERR_OK;
    int64_t number = 7;
    const int other = 1 - ctx->group_rank;
    TRY(ctx->host->send(ctx, other, &number, sizeof number, err));
    TRY(ctx->host->receive(ctx, other, &number, sizeof number, err));
    const struct job_value cell = {JOB_INT, {.integer = number}};
    TRY(job_row(ctx, 0, &cell, 1, err));
cleanup:
    return rc;
}

static enum err_code compute(const char *order, struct job_ctx *ctx, void *context,
                             struct err *err) {
    const struct job_value cell = {JOB_INT, {.integer = 42}};
    (void)context;
    ctx->columns = &COLUMNS;
    if (strcmp(order, "row") == 0) return job_row(ctx, 0, &cell, 1, err);
    if (strcmp(order, "error") == 0) return ERR(err, ERR_DATA, "no such data");
    if (strcmp(order, "nan") == 0) return ERR(err, ERR_NUMERIC, "a loss is not finite");
    if (strcmp(order, "memory") == 0) return ERR(err, ERR_MEMORY, "no memory for a matrix");
    if (strcmp(order, "exit") == 0) exit(3);
    if (strcmp(order, "disk") == 0) return ERR(err, ERR_IO, "disk full");
    if (strcmp(order, "stop") == 0) return wait_for_stop(ctx, err);
    if (strcmp(order, "exchange") == 0) return exchange(ctx, err);
    if (strcmp(order, "abort") == 0) {
        (void)fprintf(stderr, "a line on stderr\n");
        abort();
    }
    for (;;) (void)pause(); /* "hang" */
}

/* ---------------------------------------------------------------- the scene */

struct scene {
    struct fake_transport transport;
    struct par par;
    struct worker w;
    struct err err;
    uint64_t serial;
};

static int scene_create(void **state) {
    static struct scene scene;
    struct scene *s = &scene;
    *s = (struct scene){.par = {.size = 2, .silence = 60.0}};
    fake_transport_init(&s->transport);
    worker_init(&s->w, &s->transport.base, &s->par);
    *state = s;
    return 0;
}

static int scene_destroy(void **state) {
    struct scene *s = *state;
    worker_release(&s->w);
    fake_transport_release(&s->transport);
    return 0;
}

static void receive(struct scene *s, enum message_kind kind, uint64_t serial) {
    const struct message_head head = {.kind = kind, .serial = serial};
    MUST_SUCCEED(s, worker_receive(&s->w, &head, NULL, &s->err));
}

/* An ORDER with this text for group rank 0 of `group` (world ranks 0 and 1). */
static void order_group(struct scene *s, const char *text, int group, double hang_after) {
    const struct message_order o = {.group_size = group, .hang_after = hang_after};
    const int32_t ranks[] = {0, 1};
    struct text payload = {0};
    text_bytes(&payload, &o, sizeof o);
    text_bytes(&payload, ranks, (size_t)group * sizeof *ranks);
    text_bytes(&payload, "id", 3);
    text_bytes(&payload, "/nowhere", 9);
    text_bytes(&payload, text, strlen(text) + 1);
    const struct message_head head = {
        .kind = MESSAGE_ORDER, .serial = ++s->serial, .size = payload.size};
    MUST_SUCCEED(s, worker_receive(&s->w, &head, payload.data, &s->err));
    text_release(&payload);
}
static void order(struct scene *s, const char *text) { order_group(s, text, 1, 600.0); }

/* Ticks until another message is sent; it is of this kind and of the newest task. */
static const struct fake_message *await_sent(struct scene *s, int rank, enum message_kind kind) {
    const double end = clock_now() + TIMEOUT;
    while (s->transport.n_sent == s->transport.n_expected && clock_now() < end) {
        MUST_SUCCEED(s, worker_tick(&s->w, &s->err));
        worker_sleep(&s->w, 1e-3);
    }
    const struct fake_message *m = expect_sent(&s->transport, rank, kind);
    assert_int_equal(m->head.serial, s->serial);
    return m;
}

static void expect_failed(struct scene *s, enum failure failure, const char *words) {
    const struct fake_message *m = await_sent(s, 0, MESSAGE_FAILED);
    assert_int_equal(m->head.code, failure);
    if (!strstr(m->payload, words))
        fail_msg("reason is \"%s\", expected \"%s\"", m->payload, words);
    expect_nothing_sent(&s->transport);
    assert_false(s->w.busy);
}

static void expect_row(struct scene *s) {
    order(s, "row");
    const struct fake_message *m = await_sent(s, 0, MESSAGE_LINES);
    assert_int_equal(m->tag, TAG_COORDINATOR);
    assert_non_null(strstr(m->payload, "c=i:42"));
    (void)await_sent(s, 0, MESSAGE_DONE);
    expect_nothing_sent(&s->transport);
    assert_false(s->w.busy);
}

/* ---------------------------------------------------------------- tests */

/* Rows and the end go to the coordinator; the child lives on to the next job. */
static void test_done(void **state) {
    struct scene *s = *state;
    expect_row(s);
    const pid_t child = s->w.pid;
    expect_row(s);
    assert_int_equal(s->w.pid, child);
}

/* An error of the job is its failure, and the next job gets a new child; an error of the machine is
 * FATAL. */
static void test_errors(void **state) {
    struct scene *s = *state;
    order(s, "error");
    expect_failed(s, FAILURE_ERROR, "no such data");
    assert_int_equal(s->w.pid, 0);
    order(s, "nan");
    expect_failed(s, FAILURE_NAN, "a loss is not finite");
    order(s, "memory");
    expect_failed(s, FAILURE_OOM, "no memory for a matrix");
    order(s, "disk");
    const struct fake_message *m = await_sent(s, 0, MESSAGE_FATAL);
    assert_int_equal(m->head.code, ERR_IO);
    assert_string_equal(m->payload, "disk full");
    expect_nothing_sent(&s->transport);
    expect_row(s);
}

/* A child that dies fails its job, with the signal and the tail of its stderr; the rank continues.
 */
static void test_death(void **state) {
    struct scene *s = *state;
    const int own = dup(STDERR_FILENO);
    assert_true(freopen("/dev/null", "w", stderr) != NULL);
    order(s, "abort");
    expect_failed(s, FAILURE_ABORT, "signal 6 (Aborted); its stderr ends: a line on stderr");
    (void)dup2(own, STDERR_FILENO);
    close(own);
    order(s, "exit");
    expect_failed(s, FAILURE_EXIT, "exited with code 3");
    order(s, "hang");
    assert_int_equal(kill(s->w.pid, SIGKILL), 0);
    expect_failed(s, FAILURE_KILL, "signal 9");
    expect_row(s);
    assert_int_equal(kill(s->w.pid, SIGKILL), 0); /* without a job: no failure, a new child */
    for (const double end = clock_now() + TIMEOUT; s->w.pid > 0 && clock_now() < end;)
        MUST_SUCCEED(s, worker_tick(&s->w, &s->err));
    expect_row(s);
}

/* A job without progress for hang_after seconds is killed. */
static void test_hang(void **state) {
    struct scene *s = *state;
    order_group(s, "hang", 1, 0.2);
    expect_failed(s, FAILURE_HANG, "no progress for 0 s");
    expect_row(s);
}

static void test_stop(void **state) {
    struct scene *s = *state;
    receive(s, MESSAGE_STOP, 0); /* without a job: nothing to stop */
    order(s, "stop");
    receive(s, MESSAGE_STOP, 0);
    (void)await_sent(s, 0, MESSAGE_STOPPED);
    expect_nothing_sent(&s->transport);
    expect_row(s); /* the request was for that job alone */
}

/* ABANDON kills the child of that task; one for an earlier task is late and changes nothing. */
static void test_abandon(void **state) {
    struct scene *s = *state;
    order(s, "hang");
    receive(s, MESSAGE_ABANDON, s->serial - 1);
    expect_nothing_sent(&s->transport);
    assert_true(s->w.busy);
    receive(s, MESSAGE_ABANDON, s->serial);
    (void)await_sent(s, 0, MESSAGE_STOPPED);
    receive(s, MESSAGE_ABANDON, s->serial); /* its end is reported already */
    expect_nothing_sent(&s->transport);
    expect_row(s);
}

/* Messages of a group go to the other rank, and from it to the child: also one that came before the
 * order. One of an earlier task is dropped. */
static void test_group(void **state) {
    struct scene *s = *state;
    for (int early = 0; early < 2; early++) {
        const int64_t wrong = 1, number = 40 + early;
        struct message_head head = {
            .kind = MESSAGE_GROUP, .from = 1, .serial = s->serial, .size = sizeof number};
        MUST_SUCCEED(s, worker_receive(&s->w, &head, &wrong, &s->err));
        head.serial = s->serial + 1;
        if (early) MUST_SUCCEED(s, worker_receive(&s->w, &head, &number, &s->err));
        order_group(s, "exchange", 2, 600.0);
        const struct fake_message *sent = await_sent(s, 1, MESSAGE_GROUP);
        assert_int_equal(sent->tag, TAG_GROUP);
        assert_int_equal(sent->payload[0], 7);
        if (!early) MUST_SUCCEED(s, worker_receive(&s->w, &head, &number, &s->err));
        const struct fake_message *row = await_sent(s, 0, MESSAGE_LINES);
        if (!strstr(row->payload, early ? "c=i:41" : "c=i:40")) fail_msg("%s", row->payload);
        (void)await_sent(s, 0, MESSAGE_DONE);
        expect_nothing_sent(&s->transport);
    }
}

/* A rank of a group that waits for another one does not hang. */
static void test_waiting_is_no_hang(void **state) {
    struct scene *s = *state;
    order_group(s, "exchange", 2, 0.2);
    (void)await_sent(s, 1, MESSAGE_GROUP);
    const double end = clock_now() + 0.6;
    while (clock_now() < end) {
        MUST_SUCCEED(s, worker_tick(&s->w, &s->err));
        worker_sleep(&s->w, 1e-3);
    }
    expect_nothing_sent(&s->transport);
    assert_true(s->w.busy);
}

/* A rank that has nothing else to report says that it is alive, six times in par.silence. */
static void test_alive(void **state) {
    struct scene *s = *state;
    MUST_SUCCEED(s, worker_tick(&s->w, &s->err));
    expect_nothing_sent(&s->transport);
    s->w.last_report -= 10.1;
    MUST_SUCCEED(s, worker_tick(&s->w, &s->err));
    (void)expect_sent(&s->transport, 0, MESSAGE_ALIVE);
    MUST_SUCCEED(s, worker_tick(&s->w, &s->err));
    expect_nothing_sent(&s->transport);
}

static void test_end(void **state) {
    struct scene *s = *state;
    expect_row(s);
    receive(s, MESSAGE_PING, 0);
    assert_false(s->w.attempt_ended || s->w.released);
    receive(s, MESSAGE_ATTEMPT_ENDED, 0);
    assert_int_equal(s->w.pid, 0);
    assert_true(s->w.attempt_ended);
    receive(s, MESSAGE_RELEASE, 0);
    assert_true(s->w.released);
    expect_nothing_sent(&s->transport);
    const struct message_head wrong = {.kind = MESSAGE_DONE};
    assert_int_equal(worker_receive(&s->w, &wrong, NULL, &s->err), ERR_BUG);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_done, scene_create, scene_destroy),
        cmocka_unit_test_setup_teardown(test_errors, scene_create, scene_destroy),
        cmocka_unit_test_setup_teardown(test_death, scene_create, scene_destroy),
        cmocka_unit_test_setup_teardown(test_hang, scene_create, scene_destroy),
        cmocka_unit_test_setup_teardown(test_stop, scene_create, scene_destroy),
        cmocka_unit_test_setup_teardown(test_abandon, scene_create, scene_destroy),
        cmocka_unit_test_setup_teardown(test_group, scene_create, scene_destroy),
        cmocka_unit_test_setup_teardown(test_waiting_is_no_hang, scene_create, scene_destroy),
        cmocka_unit_test_setup_teardown(test_alive, scene_create, scene_destroy),
        cmocka_unit_test_setup_teardown(test_end, scene_create, scene_destroy),
    };
    if (argc == 3 && strcmp(argv[1], "--child") == 0)
        return farm_child(atoi(argv[2]), compute, NULL);
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
