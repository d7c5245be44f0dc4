/* What a job host reports at the end of a job: FAILED for errors of the job, FATAL for the others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "job/job.h"
#include "par/job_host.h"

struct posted { /* the last message */
    struct message_head head;
    char payload[1024];
};

static enum err_code record(void *self, const struct message_head *head, const void *payload,
                            struct err *err) {
    struct posted *p = self;
    (void)err;
    p->head = *head;
    assert_true(head->size < sizeof p->payload);
    memset(p->payload, 0, sizeof p->payload);
    if (head->size > 0) memcpy(p->payload, payload, (size_t)head->size);
    return ERR_OK;
}
static bool not_stopping(void *self) {
    (void)self;
    return false;
}
static enum err_code no_group(void *self, int from, void *data, size_t size, struct err *err) {
    (void)self, (void)from, (void)data, (void)size;
    return ERR(err, ERR_BUG, "no group");
}

static const struct job_column COLUMN = {"loss", JOB_REAL, "", "a loss"};

/* A row with a text where the column holds a real number. */
static enum err_code write_wrong_row(const char *order, struct job_ctx *ctx, void *context,
                                     struct err *err) {
    static const struct job_columns columns = {&COLUMN, 1};
    const struct job_value cell = {JOB_TEXT, {.text = "large"}};
    (void)order, (void)context;
    ctx->columns = &columns;
    return job_row(ctx, 0, &cell, 1, err);
}

static enum err_code fail_with(const char *order, struct job_ctx *ctx, void *context,
                               struct err *err) {
    (void)order, (void)ctx;
    return ERR(err, *(const enum err_code *)context, "as the test says");
}

static struct posted compute(farm_compute *work, void *context) {
    struct posted p = {.head = {.kind = MESSAGE_ALIVE}};
    struct err err = {0};
    const struct job_host_link link = {&p, record, not_stopping, no_group};
    const struct job_host_order order = {
        .identity = "job", .dir = ".", .text = "", .serial = 7, .group_size = 1};
    assert_int_equal(job_host_compute(&order, &link, work, context, &err), ERR_OK);
    assert_int_equal(p.head.serial, 7);
    return p;
}

static void test_wrong_row(void **state) {
    const struct posted p = compute(write_wrong_row, NULL);
    (void)state;
    assert_int_equal(p.head.kind, MESSAGE_FATAL);
    assert_int_equal(p.head.code, ERR_BUG);
    assert_int_equal(err_exit_code((enum err_code)p.head.code), EXIT_BUG);
    assert_non_null(strstr(p.payload, "column loss of a row"));
}

static void test_codes(void **state) {
    static const struct {
        enum err_code code;
        enum message_kind kind;
        int32_t sent;
    } CASES[] = {
        {ERR_IO, MESSAGE_FATAL, ERR_IO},           {ERR_SYSTEM, MESSAGE_FATAL, ERR_SYSTEM},
        {ERR_DATA, MESSAGE_FAILED, FAILURE_ERROR}, {ERR_NUMERIC, MESSAGE_FAILED, FAILURE_NAN},
        {ERR_MEMORY, MESSAGE_FAILED, FAILURE_OOM}, {ERR_STOPPED, MESSAGE_STOPPED, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        enum err_code code = CASES[i].code;
        const struct posted p = compute(fail_with, &code);
        assert_int_equal(p.head.kind, CASES[i].kind);
        assert_int_equal(p.head.code, CASES[i].sent);
    }
}

/* Sleeps, as on a busy machine, then computes. */
static enum err_code wait_and_compute(const char *order, struct job_ctx *ctx, void *context,
                                      struct err *err) {
    (void)order, (void)ctx, (void)context, (void)err;
    clock_sleep(0.3);
    for (const double begin = clock_cpu(); clock_cpu() - begin < 0.05;) continue;
    return ERR_OK;
}

static void test_times(void **state) {
    const struct posted p = compute(wait_and_compute, NULL);
    struct message_done done;
    (void)state;
    assert_int_equal(p.head.kind, MESSAGE_DONE);
    memcpy(&done, p.payload, sizeof done);
    assert_true(p.head.a >= 0.35);
    assert_true(done.cpu >= 0.05 && done.cpu < 0.2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_row),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
