#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "par/child_pipe.h"

static void connect_two(struct child_pipe *a, struct child_pipe *b) {
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    child_pipe_init(a, ends[0]);
    child_pipe_init(b, ends[1]);
}

/* Ten megabytes between two ends in one thread: posting never blocks, messages keep their order. */
static void test_large(void **state) {
    (void)state;
    enum { SIZE = 10 << 20 };
    struct child_pipe a, b;
    struct err err;
    unsigned char *data = malloc(SIZE);
    const void *payload;
    struct message_head head = {.kind = MESSAGE_GROUP, .serial = 7, .size = SIZE};
    size_t got = 0;
    connect_two(&a, &b);
    for (size_t i = 0; i < SIZE; i++) data[i] = (unsigned char)(i * 2654435761u >> 24);
    assert_int_equal(child_pipe_post(&a, &head, data, &err), ERR_OK);
    head.size = 0;
    head.kind = MESSAGE_STOP;
    assert_int_equal(child_pipe_post(&a, &head, NULL, &err), ERR_OK);
    assert_true(child_pipe_has_unsent(&a));
    while (got < 2) {
        assert_int_equal(child_pipe_fill(&b, false, &err), ERR_OK);
        while (child_pipe_next(&b, &head, &payload)) {
            if (got++ == 0) {
                assert_int_equal(head.size, SIZE);
                assert_memory_equal(payload, data, SIZE);
            } else {
                assert_int_equal(head.kind, MESSAGE_STOP);
            }
        }
        assert_int_equal(child_pipe_flush(&a, &err), ERR_OK);
    }
    assert_false(child_pipe_has_unsent(&a));
    child_pipe_release(&a);
    child_pipe_release(&b);
    free(data);
}

/* The other end is closed: what it sent before is read, what is sent to it is dropped. */
static void test_end(void **state) {
    (void)state;
    struct child_pipe a, b;
    struct err err;
    struct message_head head = {.kind = MESSAGE_ALIVE};
    const void *payload;
    connect_two(&a, &b);
    assert_int_equal(child_pipe_post(&b, &head, NULL, &err), ERR_OK);
    child_pipe_release(&b);
    assert_int_equal(child_pipe_fill(&a, false, &err), ERR_OK);
    assert_true(a.ended);
    assert_true(child_pipe_next(&a, &head, &payload));
    assert_int_equal(head.kind, MESSAGE_ALIVE);
    assert_false(child_pipe_next(&a, &head, &payload));
    assert_int_equal(child_pipe_post(&a, &head, NULL, &err), ERR_OK);
    assert_false(child_pipe_has_unsent(&a));
    child_pipe_release(&a);
    child_pipe_release(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_large), cmocka_unit_test(test_end)};
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
