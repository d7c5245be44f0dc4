#include "par/transport_mpi.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "par/mpi_check.h"
#include "par/suspension.h"

static const double SPIN = 0.05, SLEEP = 1e-3; /* seconds: polled without a pause, then with it */

struct transport_mpi_send {
    struct transport_mpi_send *next;
    MPI_Request request;
    bool *sent; /* set once MPI no longer needs the bytes; NULL: not reported */
    unsigned char bytes[];
};

static struct transport_mpi *mpi_of(struct transport *t) { return (struct transport_mpi *)t; }

/* ---------------------------------------------------------------- send */

/* Frees the messages that have been sent. */
static enum err_code free_sent(struct transport_mpi *t, struct err *err) {
    enum err_code rc = ERR_OK;
    struct transport_mpi_send **at = &t->first;
    while (*at) {
        struct transport_mpi_send *message = *at;
        int gone = 0;
        TRY_MPI(MPI_Test(&message->request, &gone, MPI_STATUS_IGNORE));
        if (gone) {
            if (message->sent) *message->sent = true;
            *at = message->next;
            free(message);
        } else {
            at = &message->next;
        }
    }
cleanup:
    t->last = &t->first;
    while (*t->last) t->last = &(*t->last)->next;
    return rc;
}

/* Takes over `message`, also when it fails. */
static enum err_code begin_send(struct transport_mpi *t, struct transport_mpi_send *message,
                                int rank, enum message_tag tag, const void *bytes, size_t size,
                                struct err *err) {
    enum err_code rc = ERR_OK;
    TRY_MPI(
        MPI_Isend(bytes, (int)size, MPI_BYTE, rank, (int)tag, MPI_COMM_WORLD, &message->request));
    *t->last = message;
    t->last = &message->next;
    return ERR_OK;
cleanup:
    free(message);
    return rc;
}

static enum err_code mpi_send(struct transport *base, int rank, enum message_tag tag,
                              const struct message_head *head, const void *payload,
                              struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t size = sizeof *head + (size_t)head->size;
    CHECK(size <= INT_MAX, ERR_DATA,
          "a message of %zu bytes between ranks: the most is 2 GiB, use more shards", size);
    struct transport_mpi_send *message = malloc(sizeof *message + size);
    CHECK(message, ERR_MEMORY, "no memory for a message of %zu bytes", size);
    *message = (struct transport_mpi_send){0};
    memcpy(message->bytes, head, sizeof *head);
    if (head->size > 0) memcpy(message->bytes + sizeof *head, payload, (size_t)head->size);
    TRY(begin_send(mpi_of(base), message, rank, tag, message->bytes, size, err));
cleanup:
    return rc;
}

static enum err_code mpi_send_in_place(struct transport *base, int rank, enum message_tag tag,
                                       const void *bytes, size_t size, bool *sent,
                                       struct err *err) {
    struct transport_mpi_send *message = malloc(sizeof *message);
    assert(size <= INT_MAX);
    if (!message) return ERR(err, ERR_MEMORY, "no memory for a message of %zu bytes", size);
    *message = (struct transport_mpi_send){.sent = sent};
    *sent = false;
    return begin_send(mpi_of(base), message, rank, tag, bytes, size, err);
}

static bool mpi_is_sending(const struct transport *base) {
    return ((const struct transport_mpi *)base)->first != NULL;
}

/* ---------------------------------------------------------------- receive */

static bool is_for_box(const struct transport_box *box, int tag, size_t size) {
    return box->bytes && tag == TAG_GROUP && size <= box->size &&
           size >= box->least + sizeof(struct message_head);
}

/* Finds a message that may be received now. One that waits for a full box holds back those of its
 * own tag only, so that orders still arrive: the other tags are probed by themselves. */
static enum err_code probe(bool *found, const struct transport_mpi *t, MPI_Status *status,
                           int *size, struct err *err) {
    enum err_code rc = ERR_OK;
    const int tags[] = {MPI_ANY_TAG, TAG_WORKER, TAG_COORDINATOR};
    int here = 0;
    *found = false;
    for (size_t i = 0; i < sizeof tags / sizeof *tags && !*found; i++) {
        TRY_MPI(MPI_Iprobe(MPI_ANY_SOURCE, tags[i], MPI_COMM_WORLD, &here, status));
        if (i == 0 && !here) break;
        if (!here) continue;
        TRY_MPI(MPI_Get_count(status, MPI_BYTE, size));
        *found = !(t->base.box.full && is_for_box(&t->base.box, status->MPI_TAG, (size_t)*size));
    }
cleanup:
    return rc;
}

/* Where a message of `size` bytes is to go. */
static enum err_code choose_buffer(unsigned char **out, struct transport_mpi *t, int tag,
                                   size_t size, struct err *err) {
    enum err_code rc = ERR_OK;
    if (is_for_box(&t->base.box, tag, size)) {
        *out = t->base.box.bytes;
        return ERR_OK;
    }
    if (t->in.capacity < size) {
        text_release(&t->in);
        t->in.data = malloc(size);
        CHECK(t->in.data, ERR_MEMORY, "no memory for a message of %zu bytes", size);
        t->in.capacity = size;
    }
    *out = (unsigned char *)t->in.data;
cleanup:
    return rc;
}

/* Polls, since MPI_Recv() would wait forever for the rest of a message whose sender died. */
static enum err_code receive_bytes(struct transport_mpi *t, void *bytes, int size,
                                   const MPI_Status *from, struct err *err) {
    enum err_code rc = ERR_OK;
    MPI_Request request;
    double began = clock_now();
    struct suspension suspension = {.now = began};
    int here = 0;
    TRY_MPI(MPI_Irecv(bytes, size, MPI_BYTE, from->MPI_SOURCE, from->MPI_TAG, MPI_COMM_WORLD,
                      &request));
    for (;;) {
        TRY_MPI(MPI_Test(&request, &here, MPI_STATUS_IGNORE));
        if (here) break;
        suspension_tick(&suspension, clock_now());
        suspension_move(&began, &suspension);
        const double waited = suspension.now - began;
        if (waited > t->timeout) t->in = (struct text){0}; /* MPI may still write there: leaked */
        CHECK(waited <= t->timeout, ERR_MPI,
              "the rest of a message of %d bytes from rank %d has not arrived within %.0f s", size,
              from->MPI_SOURCE, waited);
        if (waited > SPIN) clock_sleep(SLEEP);
    }
cleanup:
    return rc;
}

static enum err_code mpi_receive(bool *found, struct transport *base, int *rank,
                                 enum message_tag *tag, struct message_head *head,
                                 const void **payload, struct err *err) {
    enum err_code rc = ERR_OK;
    struct transport_mpi *t = mpi_of(base);
    MPI_Status status;
    unsigned char *bytes = NULL;
    int size = 0;
    *found = false;
    if (t->first) TRY(free_sent(t, err));
    TRY(probe(found, t, &status, &size, err));
    if (!*found) return ERR_OK;
    CHECK((size_t)size >= sizeof *head, ERR_BUG, "a message of %d bytes from rank %d", size,
          status.MPI_SOURCE);
    TRY(choose_buffer(&bytes, t, status.MPI_TAG, (size_t)size, err));
    TRY(receive_bytes(t, bytes, size, &status, err));
    memcpy(head, bytes, sizeof *head);
    CHECK(head->size == (size_t)size - sizeof *head, ERR_BUG,
          "the size of a message from rank %d differs from the size in its head",
          status.MPI_SOURCE);
    *payload = bytes + sizeof *head;
    *rank = status.MPI_SOURCE;
    *tag = (enum message_tag)status.MPI_TAG;
cleanup:
    return rc;
}

/* ---------------------------------------------------------------- begin and end */

void transport_mpi_init(struct transport_mpi *t, double timeout) {
    static const struct transport_ops OPS = {mpi_send, mpi_send_in_place, mpi_receive,
                                             mpi_is_sending};
    *t = (struct transport_mpi){.base.ops = &OPS, .timeout = timeout};
    t->last = &t->first;
}

/* Messages that a dead rank will never take stay allocated: MPI may still read them. */
void transport_mpi_release(struct transport_mpi *t, double seconds) {
    const double end = clock_now() + seconds;
    while (t->first && free_sent(t, NULL) == ERR_OK && t->first && clock_now() < end)
        clock_sleep(1e-4);
    text_release(&t->in);
    transport_mpi_init(t, t->timeout);
}
