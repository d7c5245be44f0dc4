/*
 * fake_transport.h - a transport in memory, for tests of coordinator, worker and relay in one
 * process without MPI.  What the unit under test sends is recorded; expect_sent() takes the records
 * in their order, and expect_nothing_sent() makes sure that no message was overlooked.
 */
#ifndef TESTS_PAR_FAKE_TRANSPORT_H
#define TESTS_PAR_FAKE_TRANSPORT_H

#include <stdlib.h>
#include <string.h>

#include "par/transport.h"

/* The call writes its error to s->err, of the test's own scene. */
#define MUST_SUCCEED(s, call)                                                                      \
    do {                                                                                           \
        if ((call) != ERR_OK) fail_msg("%s: %s", #call, (s)->err.msg);                             \
    } while (0)

enum { FAKE_SENT_MOST = 256 };

struct fake_message {
    int rank;
    enum message_tag tag;
    struct message_head head;
    char *payload; /* owned */
};

struct fake_transport {
    struct transport base;
    struct fake_message sent[FAKE_SENT_MOST];
    size_t n_sent, n_expected; /* recorded; already taken by expect_sent() */
    bool *in_place_sent;       /* of the last message that was sent in place */
};

static struct fake_transport *fake_of(struct transport *t) { return (struct fake_transport *)t; }

static enum err_code fake_send(struct transport *t, int rank, enum message_tag tag,
                               const struct message_head *head, const void *payload,
                               struct err *err) {
    struct fake_transport *f = fake_of(t);
    (void)err;
    assert_true(f->n_sent < FAKE_SENT_MOST);
    struct fake_message *m = &f->sent[f->n_sent++];
    *m = (struct fake_message){.rank = rank, .tag = tag, .head = *head};
    m->payload = calloc(1, (size_t)head->size + 1);
    assert_non_null(m->payload);
    if (head->size > 0) memcpy(m->payload, payload, (size_t)head->size);
    return ERR_OK;
}

/* The bytes count as sent once the test sets *in_place_sent. */
static enum err_code fake_send_in_place(struct transport *t, int rank, enum message_tag tag,
                                        const void *message, size_t size, bool *sent,
                                        struct err *err) {
    struct message_head head;
    memcpy(&head, message, sizeof head);
    assert_int_equal(size, sizeof head + head.size);
    *sent = false;
    fake_of(t)->in_place_sent = sent;
    return fake_send(t, rank, tag, &head, (const char *)message + sizeof head, err);
}

/* Tests hand messages to the unit themselves. */
static enum err_code fake_receive(bool *found, struct transport *t, int *rank,
                                  enum message_tag *tag, struct message_head *head,
                                  const void **payload, struct err *err) {
    (void)t, (void)rank, (void)tag, (void)head, (void)payload, (void)err;
    *found = false;
    return ERR_OK;
}

static bool fake_is_sending(const struct transport *t) {
    (void)t;
    return false;
}

static inline void fake_transport_init(struct fake_transport *f) {
    static const struct transport_ops OPS = {fake_send, fake_send_in_place, fake_receive,
                                             fake_is_sending};
    *f = (struct fake_transport){.base.ops = &OPS};
}

static inline void fake_transport_release(struct fake_transport *f) {
    for (size_t i = 0; i < f->n_sent; i++) free(f->sent[i].payload);
    f->n_sent = f->n_expected = 0;
}

/* The next message that was sent is of this kind and goes to this rank. */
static inline const struct fake_message *expect_sent(struct fake_transport *f, int rank,
                                                     enum message_kind kind) {
    if (f->n_expected == f->n_sent)
        fail_msg("expected message %d to rank %d, nothing was sent", kind, rank);
    const struct fake_message *m = &f->sent[f->n_expected++];
    if (m->rank != rank || m->head.kind != kind)
        fail_msg("expected message %d to rank %d, got %u to rank %d (%s)", kind, rank, m->head.kind,
                 m->rank, m->head.size < 500 ? m->payload : "");
    return m;
}

static inline void expect_nothing_sent(const struct fake_transport *f) {
    if (f->n_expected < f->n_sent)
        fail_msg("%zu messages more than expected, the next is %u to rank %d",
                 f->n_sent - f->n_expected, f->sent[f->n_expected].head.kind,
                 f->sent[f->n_expected].rank);
}

#endif
