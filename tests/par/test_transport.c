/* The transport over MPI, on one rank that sends to itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "par/par.h"
#include "par/transport_mpi.h"

static const double TIMEOUT = 30.0; /* seconds until a message must have arrived */

struct received {
    int rank;
    enum message_tag tag;
    struct message_head head;
    const void *payload;
};

static struct err err;

static int begin(void **state) {
    static struct par par;
    const struct log log = {.level = LOG_ERROR};
    *state = &par;
    return par_init(&par, PAR_MPI_YES, &log, &err) == ERR_OK ? 0 : -1;
}
static int end(void **state) { return par_finish(*state, 0); }

/* One look; false: nothing may be received now. */
static bool poll_once(struct transport_mpi *t, struct received *out) {
    bool found;
    if (transport_receive(&found, &t->base, &out->rank, &out->tag, &out->head, &out->payload,
                          &err) != ERR_OK)
        fail_msg("%s", err.msg);
    return found;
}

static void receive(struct transport_mpi *t, struct received *out) {
    const double until = clock_now() + TIMEOUT;
    while (!poll_once(t, out)) {
        if (clock_now() > until) fail_msg("nothing has arrived");
        clock_sleep(1e-4);
    }
}

static void expect_nothing(struct transport_mpi *t) {
    struct received r;
    for (int i = 0; i < 50; i++) {
        if (poll_once(t, &r)) fail_msg("message %u has arrived, expected none", r.head.kind);
        clock_sleep(1e-4);
    }
}

static void send(struct transport_mpi *t, enum message_tag tag, enum message_kind kind,
                 const void *payload, size_t size) {
    const struct message_head head = {.kind = kind, .serial = 3, .size = size, .a = 0.5};
    if (transport_send(&t->base, 0, tag, &head, payload, &err) != ERR_OK) fail_msg("%s", err.msg);
}

/* Head and payload arrive as they were sent, messages of one tag in their order; sending copies. */
static void test_send(void **state) {
    struct transport_mpi t;
    struct received r;
    char text[] = "one";
    (void)state;
    transport_mpi_init(&t, TIMEOUT);
    expect_nothing(&t);
    send(&t, TAG_WORKER, MESSAGE_ORDER, text, sizeof text);
    memcpy(text, "two", sizeof text);
    send(&t, TAG_WORKER, MESSAGE_STOP, NULL, 0);
    receive(&t, &r);
    assert_int_equal(r.rank, 0);
    assert_int_equal(r.tag, TAG_WORKER);
    assert_int_equal(r.head.kind, MESSAGE_ORDER);
    assert_int_equal(r.head.serial, 3);
    assert_true(r.head.a == 0.5);
    assert_int_equal(r.head.size, sizeof text);
    assert_string_equal(r.payload, "one");
    receive(&t, &r);
    assert_int_equal(r.head.kind, MESSAGE_STOP);
    expect_nothing(&t);
    assert_false(transport_is_sending(&t.base));
    transport_mpi_release(&t, TIMEOUT);
}

static void test_too_large(void **state) {
    struct transport_mpi t;
    const struct message_head head = {.size = (uint64_t)1 << 31};
    (void)state;
    transport_mpi_init(&t, TIMEOUT);
    assert_int_equal(transport_send(&t.base, 0, TAG_GROUP, &head, NULL, &err), ERR_DATA);
    assert_non_null(strstr(err.msg, "the most is 2 GiB"));
    assert_false(transport_is_sending(&t.base));
    transport_mpi_release(&t, TIMEOUT);
}

enum { LARGE = 3 << 20, LEAST = 1 << 16 };

static unsigned char *make_message(unsigned char fill) {
    const struct message_head head = {.kind = MESSAGE_GROUP, .size = LARGE};
    unsigned char *m = malloc(sizeof head + LARGE);
    assert_non_null(m);
    memcpy(m, &head, sizeof head);
    memset(m + sizeof head, fill, LARGE);
    return m;
}

/* Sent in place, received in the box; while the box is full, large messages wait, but small ones of
 * other tags do not. */
static void test_box(void **state) {
    struct transport_mpi t;
    struct received r;
    bool sent[2] = {true, true};
    unsigned char *messages[2] = {make_message('a'), make_message('b')};
    const size_t size = sizeof(struct message_head) + LARGE;
    unsigned char *box = calloc(1, size);
    (void)state;
    assert_non_null(box);
    transport_mpi_init(&t, TIMEOUT);
    t.base.box = (struct transport_box){.bytes = box, .least = LEAST, .size = size};
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            transport_send_in_place(&t.base, 0, TAG_GROUP, messages[i], size, &sent[i], &err),
            ERR_OK);
    assert_false(sent[0]);
    assert_true(transport_is_sending(&t.base));
    receive(&t, &r);
    assert_ptr_equal(r.payload, box + sizeof r.head);
    assert_int_equal(box[sizeof r.head], 'a');
    t.base.box.full = true;
    expect_nothing(&t);
    assert_int_equal(box[sizeof r.head], 'a');
    send(&t, TAG_COORDINATOR, MESSAGE_ALIVE, NULL, 0);
    send(&t, TAG_WORKER, MESSAGE_PING, NULL, 0);
    receive(&t, &r);
    assert_int_equal(r.head.kind, MESSAGE_PING);
    receive(&t, &r);
    assert_int_equal(r.head.kind, MESSAGE_ALIVE);
    expect_nothing(&t);
    t.base.box.full = false;
    receive(&t, &r);
    assert_int_equal(box[sizeof r.head], 'b');
    expect_nothing(&t);
    assert_true(sent[0] && sent[1]);
    assert_false(transport_is_sending(&t.base));
    transport_mpi_release(&t, TIMEOUT);
    for (int i = 0; i < 2; i++) free(messages[i]);
    free(box);
}

/* Small messages of a group do not go to the box. */
static void test_small_beside_box(void **state) {
    struct transport_mpi t;
    struct received r;
    unsigned char box[128] = {0};
    (void)state;
    transport_mpi_init(&t, TIMEOUT);
    t.base.box = (struct transport_box){.bytes = box, .least = LEAST, .size = sizeof box, true};
    send(&t, TAG_GROUP, MESSAGE_GROUP, "small", 6);
    receive(&t, &r);
    assert_string_equal(r.payload, "small");
    assert_int_equal(box[0], 0);
    transport_mpi_release(&t, TIMEOUT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_send),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_box),
        cmocka_unit_test(test_small_beside_box),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, begin, end);
}
