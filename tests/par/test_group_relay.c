/* Messages between a child (here the other end of a socket) and the ranks of its group: what passes
 * through the socket, what through the two boxes, and who may use a box when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "par/fake_transport.h"
#include "par/worker.h"

struct scene {
    struct fake_transport transport;
    struct worker w;
    struct child_pipe child; /* the child's end */
    int32_t ranks[2];
    struct err err;
};

/* A worker busy with task 5, group rank 0 of world ranks 3 and 8. */
static int scene_create(void **state) {
    static struct scene scene;
    struct scene *s = &scene;
    const struct par par = {.size = 9, .silence = 60.0};
    int ends[2];
    *s = (struct scene){.ranks = {3, 8}};
    fake_transport_init(&s->transport);
    worker_init(&s->w, &s->transport.base, &par);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    child_pipe_init(&s->w.pipe, ends[0]);
    child_pipe_init(&s->child, ends[1]);
    s->w.busy = true;
    s->w.serial = 5;
    s->w.order.group_size = 2;
    s->w.ranks = malloc(sizeof s->ranks);
    assert_non_null(s->w.ranks);
    memcpy(s->w.ranks, s->ranks, sizeof s->ranks);
    shared_memory_create(&s->w.relay.memory);
    *state = s;
    return 0;
}

static int scene_destroy(void **state) {
    struct scene *s = *state;
    worker_release(&s->w);
    child_pipe_release(&s->child);
    fake_transport_release(&s->transport);
    return 0;
}

/* The next message that the child reads; false: there is none. */
static bool child_reads(struct scene *s, struct message_head *head, const void **payload) {
    MUST_SUCCEED(s, child_pipe_fill(&s->child, false, &s->err));
    return child_pipe_next(&s->child, head, payload);
}

static void expect_read(struct scene *s, enum message_kind kind, const char *text) {
    struct message_head head;
    const void *payload;
    assert_true(child_reads(s, &head, &payload));
    assert_int_equal(head.kind, kind);
    assert_int_equal(head.size, text ? strlen(text) : 0);
    if (text) assert_memory_equal(payload, text, strlen(text));
}

static void expect_nothing_read(struct scene *s) {
    struct message_head head;
    const void *payload;
    assert_false(child_reads(s, &head, &payload));
}

static void deliver(struct scene *s, uint64_t serial, const char *text) {
    const struct message_head head = {
        .kind = MESSAGE_GROUP, .from = 1, .serial = serial, .size = strlen(text)};
    MUST_SUCCEED(s, group_relay_deliver(&s->w, &head, text, &s->err));
}

/* Of this task: to the child. Of an earlier one: dropped. Of a later one: kept for its order, in
 * the order of arrival. */
static void test_deliver(void **state) {
    struct scene *s = *state;
    deliver(s, 5, "now");
    expect_read(s, MESSAGE_GROUP, "now");
    deliver(s, 4, "late");
    assert_null(s->w.relay.early);
    deliver(s, 6, "early");
    deliver(s, 7, "much too early");
    deliver(s, 6, "early too");
    expect_nothing_read(s);
    s->w.serial = 6;
    MUST_SUCCEED(s, group_relay_begin(&s->w, &s->err));
    expect_read(s, MESSAGE_GROUP, "early");
    expect_read(s, MESSAGE_GROUP, "early too");
    expect_nothing_read(s);
    s->w.serial = 8; /* task 7 went to other ranks in the end */
    MUST_SUCCEED(s, group_relay_begin(&s->w, &s->err));
    expect_nothing_read(s);
    assert_null(s->w.relay.early);
}

/* Between tasks nothing is handed to a child that has no order. */
static void test_idle(void **state) {
    struct scene *s = *state;
    s->w.busy = false;
    deliver(s, 5, "of the task that just ended");
    deliver(s, 6, "early");
    expect_nothing_read(s);
    assert_non_null(s->w.relay.early);
}

/* From the child to the world rank of the receiver; one outside the group is our bug. */
static void test_send(void **state) {
    struct scene *s = *state;
    struct message_head head = {.kind = MESSAGE_GROUP, .to = 1, .serial = 5, .size = 2};
    MUST_SUCCEED(s, group_relay_send(&s->w, &head, "hi", &s->err));
    const struct fake_message *m = expect_sent(&s->transport, 8, MESSAGE_GROUP);
    assert_int_equal(m->tag, TAG_GROUP);
    assert_string_equal(m->payload, "hi");
    head.to = 2;
    assert_int_equal(group_relay_send(&s->w, &head, "hi", &s->err), ERR_BUG);
    expect_nothing_sent(&s->transport);
}

/* The child is told once that its outbox is empty; what it puts there is sent in place; it is told
 * again only when the transport needs the box no more. */
static void test_outbox(void **state) {
    struct scene *s = *state;
    unsigned char *box = shared_memory_outbox(&s->w.relay.memory);
    const struct message_head head = {.kind = MESSAGE_GROUP, .to = 1, .serial = 5, .size = 3};
    MUST_SUCCEED(s, group_relay_tick(&s->w, &s->err));
    expect_read(s, MESSAGE_OUTBOX_EMPTY, NULL);
    MUST_SUCCEED(s, group_relay_tick(&s->w, &s->err));
    expect_nothing_read(s);
    memcpy(box, &head, sizeof head);
    memcpy(box + sizeof head, "big", 3);
    MUST_SUCCEED(s, group_relay_send_outbox(&s->w, &s->err));
    assert_string_equal(expect_sent(&s->transport, 8, MESSAGE_GROUP)->payload, "big");
    MUST_SUCCEED(s, group_relay_tick(&s->w, &s->err));
    expect_nothing_read(s);
    *s->transport.in_place_sent = true;
    MUST_SUCCEED(s, group_relay_tick(&s->w, &s->err));
    expect_read(s, MESSAGE_OUTBOX_EMPTY, NULL);
    expect_nothing_sent(&s->transport);
}

/* The child dies while its outbox is being sent: the next child must wait for that. One that had
 * not filled it leaves it empty. */
static void test_outbox_outlives_child(void **state) {
    struct scene *s = *state;
    const struct message_head head = {.kind = MESSAGE_GROUP, .to = 1, .serial = 5};
    MUST_SUCCEED(s, group_relay_tick(&s->w, &s->err));
    expect_read(s, MESSAGE_OUTBOX_EMPTY, NULL);
    group_relay_drop_child(&s->w);
    MUST_SUCCEED(s, group_relay_tick(&s->w, &s->err));
    expect_read(s, MESSAGE_OUTBOX_EMPTY, NULL);
    memcpy(shared_memory_outbox(&s->w.relay.memory), &head, sizeof head);
    MUST_SUCCEED(s, group_relay_send_outbox(&s->w, &s->err));
    group_relay_drop_child(&s->w);
    MUST_SUCCEED(s, group_relay_tick(&s->w, &s->err));
    expect_nothing_read(s);
    *s->transport.in_place_sent = true;
    MUST_SUCCEED(s, group_relay_tick(&s->w, &s->err));
    expect_read(s, MESSAGE_OUTBOX_EMPTY, NULL);
}

/* A job of one rank needs no outbox. */
static void test_no_group(void **state) {
    struct scene *s = *state;
    s->w.order.group_size = 1;
    MUST_SUCCEED(s, group_relay_tick(&s->w, &s->err));
    expect_nothing_read(s);
}

/* A message that was received in the box stays there: the child is told, and the box is full until
 * it has emptied it. Without a child there is no box. */
static void test_inbox(void **state) {
    struct scene *s = *state;
    struct transport_box *box = &s->transport.base.box;
    const struct message_head head = {.kind = MESSAGE_GROUP, .from = 1, .serial = 5, .size = 3};
    assert_null(box->bytes);
    group_relay_open_inbox(&s->w);
    assert_ptr_equal(box->bytes, shared_memory_inbox(&s->w.relay.memory));
    assert_false(box->full);
    MUST_SUCCEED(s, group_relay_deliver(&s->w, &head, box->bytes + sizeof head, &s->err));
    expect_read(s, MESSAGE_INBOX_FULL, NULL);
    assert_true(box->full);
    deliver(s, 5, "small");
    expect_read(s, MESSAGE_GROUP, "small");
    group_relay_open_inbox(&s->w);
    assert_false(box->full);
    group_relay_drop_child(&s->w);
    assert_null(box->bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_deliver, scene_create, scene_destroy),
        cmocka_unit_test_setup_teardown(test_idle, scene_create, scene_destroy),
        cmocka_unit_test_setup_teardown(test_send, scene_create, scene_destroy),
        cmocka_unit_test_setup_teardown(test_outbox, scene_create, scene_destroy),
        cmocka_unit_test_setup_teardown(test_outbox_outlives_child, scene_create, scene_destroy),
        cmocka_unit_test_setup_teardown(test_no_group, scene_create, scene_destroy),
        cmocka_unit_test_setup_teardown(test_inbox, scene_create, scene_destroy),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
