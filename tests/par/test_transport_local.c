/* The transport of one rank without MPI, and when MPI is to be initialised. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "par/par.h"
#include "par/transport_local.h"

static struct err err;

struct received {
    int rank;
    enum message_tag tag;
    struct message_head head;
    const void *payload;
};

static bool receive(struct transport_local *t, struct received *out) {
    bool found = false;
    assert_int_equal(
        transport_receive(&found, &t->base, &out->rank, &out->tag, &out->head, &out->payload, &err),
        ERR_OK);
    return found;
}

static void send(struct transport_local *t, enum message_tag tag, enum message_kind kind,
                 const void *payload, size_t size) {
    const struct message_head head = {.kind = kind, .serial = 3, .size = size, .a = 0.5};
    assert_int_equal(transport_send(&t->base, 0, tag, &head, payload, &err), ERR_OK);
}

static void expect(struct transport_local *t, enum message_tag tag, enum message_kind kind,
                   const char *payload) {
    struct received r;
    assert_true(receive(t, &r));
    assert_int_equal(r.rank, 0);
    assert_int_equal(r.tag, tag);
    assert_int_equal(r.head.kind, kind);
    assert_int_equal(r.head.serial, 3);
    assert_true(r.head.a == 0.5);
    assert_int_equal(r.head.size, payload ? strlen(payload) + 1 : 0);
    if (payload) assert_string_equal((const char *)r.payload, payload);
}

/* Messages arrive in their order, with the bytes that they had when they were sent. */
static void test_order(void **state) {
    struct transport_local t;
    struct received r;
    char text[] = "one";
    (void)state;
    transport_local_init(&t);
    assert_false(receive(&t, &r));
    send(&t, TAG_WORKER, MESSAGE_ORDER, text, sizeof text);
    memcpy(text, "two", sizeof text);
    send(&t, TAG_COORDINATOR, MESSAGE_LINES, text, sizeof text);
    expect(&t, TAG_WORKER, MESSAGE_ORDER, "one");
    send(&t, TAG_WORKER, MESSAGE_STOP, NULL, 0);
    expect(&t, TAG_COORDINATOR, MESSAGE_LINES, "two");
    expect(&t, TAG_WORKER, MESSAGE_STOP, NULL);
    assert_false(receive(&t, &r));
    send(&t, TAG_WORKER, MESSAGE_ORDER, text, sizeof text); /* dropped */
    transport_local_release(&t);
}

/* A message sent in place is copied: its sender may change it at once. */
static void test_in_place(void **state) {
    struct transport_local t;
    struct {
        struct message_head head;
        char text[8];
    } message = {{.kind = MESSAGE_LINES, .serial = 3, .a = 0.5, .size = 4}, "row"};
    bool sent = false;
    (void)state;
    transport_local_init(&t);
    assert_int_equal(transport_send_in_place(&t.base, 0, TAG_COORDINATOR, &message,
                                             sizeof message.head + 4, &sent, &err),
                     ERR_OK);
    assert_true(sent);
    memset(&message, 0, sizeof message);
    assert_false(transport_is_sending(&t.base));
    expect(&t, TAG_COORDINATOR, MESSAGE_LINES, "row");
    transport_local_release(&t);
}

static void test_launcher(void **state) {
    static const char *const OF_A_LAUNCHER[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK",
                                                "PMI_SIZE"};
    (void)state;
    unsetenv("SLURM_STEP_NUM_TASKS");
    for (size_t i = 0; i < 4; i++) unsetenv(OF_A_LAUNCHER[i]);
    assert_false(par_is_launched());
    for (size_t i = 0; i < 4; i++) {
        setenv(OF_A_LAUNCHER[i], "0", 1);
        assert_true(par_is_launched());
        unsetenv(OF_A_LAUNCHER[i]);
    }
    setenv("SLURM_STEP_NUM_TASKS", "1", 1);
    assert_false(par_is_launched());
    setenv("SLURM_STEP_NUM_TASKS", "2", 1);
    assert_true(par_is_launched());
    unsetenv("SLURM_STEP_NUM_TASKS");
}

static void test_word(void **state) {
    enum par_mpi mpi = PAR_MPI_NO;
    (void)state;
    assert_int_equal(par_read_mpi(&mpi, NULL, &err), ERR_OK);
    assert_int_equal(mpi, PAR_MPI_AUTO);
    assert_int_equal(par_read_mpi(&mpi, "yes", &err), ERR_OK);
    assert_int_equal(mpi, PAR_MPI_YES);
    assert_int_equal(par_read_mpi(&mpi, "no", &err), ERR_OK);
    assert_int_equal(mpi, PAR_MPI_NO);
    assert_int_equal(par_read_mpi(&mpi, "maybe", &err), ERR_USAGE);
    assert_non_null(strstr(err.msg, "--mpi maybe: expected auto, yes or no"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_launcher),
        cmocka_unit_test(test_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
