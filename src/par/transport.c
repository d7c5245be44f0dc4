#include "par/transport.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "par/mpi_check.h"
#include "par/suspension.h"

static const double SPIN = 0.05, NAP = 1e-3; /* seconds */

struct transport_letter {
    struct transport_letter *next;
    MPI_Request request;
    bool *back; /* NULL, or whom to tell when it has left */
    unsigned char bytes[];
};

void transport_init(struct transport *m, double patience) {
    *m = (struct transport){.patience = patience};
    m->last = &m->first;
}

/* Frees the letters that have left. */
static enum err_code sweep(struct transport *m, struct err *err) {
    enum err_code rc = ERR_OK;
    struct transport_letter **at = &m->first;
    while (*at) {
        struct transport_letter *letter = *at;
        int gone = 0;
        TRY_MPI(MPI_Test(&letter->request, &gone, MPI_STATUS_IGNORE));
        if (gone) {
            if (letter->back) *letter->back = true;
            *at = letter->next;
            free(letter);
        } else {
            at = &letter->next;
        }
    }
cleanup:
    m->last = &m->first;
    while (*m->last) m->last = &(*m->last)->next;
    return rc;
}

/* letter: owned from here on, whatever happens. */
static enum err_code post(struct transport *m, struct transport_letter *letter, int rank,
                          enum message_tag tag, const void *bytes, size_t size, struct err *err) {
    enum err_code rc = ERR_OK;
    TRY_MPI(
        MPI_Isend(bytes, (int)size, MPI_BYTE, rank, (int)tag, MPI_COMM_WORLD, &letter->request));
    *m->last = letter;
    m->last = &letter->next;
    return ERR_OK;
cleanup:
    free(letter);
    return rc;
}

enum err_code transport_send(struct transport *m, int rank, enum message_tag tag,
                             const struct message_head *head, const void *payload,
                             struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t size = sizeof *head + (size_t)head->size;
    CHECK(size <= INT_MAX, ERR_DATA, "a message of %zu bytes between ranks: 2 GiB is the most",
          size);
    struct transport_letter *letter = malloc(sizeof *letter + size);
    CHECK(letter, ERR_MEMORY, "no memory for a message of %zu bytes", size);
    *letter = (struct transport_letter){0};
    memcpy(letter->bytes, head, sizeof *head);
    if (head->size > 0) memcpy(letter->bytes + sizeof *head, payload, (size_t)head->size);
    TRY(post(m, letter, rank, tag, letter->bytes, size, err));
cleanup:
    return rc;
}

enum err_code transport_lend(struct transport *m, int rank, enum message_tag tag,
                             const void *letter, size_t size, bool *back, struct err *err) {
    struct transport_letter *slip = malloc(sizeof *slip);
    assert(size <= INT_MAX);
    if (!slip) return ERR(err, ERR_MEMORY, "no memory for a message of %zu bytes", size);
    *slip = (struct transport_letter){.back = back};
    *back = false;
    return post(m, slip, rank, tag, letter, size, err);
}

static bool is_for_box(const struct transport *m, int tag, size_t size) {
    return m->box.bytes && tag == TAG_GROUP && size <= m->box.size &&
           size >= m->box.least + sizeof(struct message_head);
}

/* What may be received now; those behind a letter for a full box, but not of its own tag, too. */
static enum err_code look(bool *found, const struct transport *m, MPI_Status *status, int *size,
                          struct err *err) {
    enum err_code rc = ERR_OK;
    const int tags[] = {MPI_ANY_TAG, TAG_WORKER, TAG_COORDINATOR};
    int here = 0;
    *found = false;
    for (size_t i = 0; i < sizeof tags / sizeof *tags && !*found; i++) {
        TRY_MPI(MPI_Iprobe(MPI_ANY_SOURCE, tags[i], MPI_COMM_WORLD, &here, status));
        if (i == 0 && !here) break;
        if (!here) continue;
        TRY_MPI(MPI_Get_count(status, MPI_BYTE, size));
        *found = !(m->box.full && is_for_box(m, status->MPI_TAG, (size_t)*size));
    }
cleanup:
    return rc;
}

/* Where a message of `size` bytes is to go. */
static enum err_code place(unsigned char **out, struct transport *m, int tag, size_t size,
                           struct err *err) {
    enum err_code rc = ERR_OK;
    if (is_for_box(m, tag, size)) {
        *out = m->box.bytes;
        return ERR_OK;
    }
    if (m->in.capacity < size) {
        text_release(&m->in);
        m->in.data = malloc(size);
        CHECK(m->in.data, ERR_MEMORY, "no memory for a message of %zu bytes", size);
        m->in.capacity = size;
    }
    *out = (unsigned char *)m->in.data;
cleanup:
    return rc;
}

/* MPI_Recv() would wait for ever for the second half of a letter whose sender is dead. */
static enum err_code receive(struct transport *m, void *letter, int size, const MPI_Status *from,
                             struct err *err) {
    enum err_code rc = ERR_OK;
    MPI_Request request;
    double began = clock_now();
    struct suspension pause = {.now = began};
    int here = 0;
    TRY_MPI(MPI_Irecv(letter, size, MPI_BYTE, from->MPI_SOURCE, from->MPI_TAG, MPI_COMM_WORLD,
                      &request));
    for (;;) {
        TRY_MPI(MPI_Test(&request, &here, MPI_STATUS_IGNORE));
        if (here) break;
        suspension_tick(&pause, clock_now());
        suspension_move(&began, &pause);
        const double waited = pause.now - began;
        if (waited > m->patience) m->in = (struct text){0}; /* stays MPI's */
        CHECK(waited <= m->patience, ERR_MPI,
              "the rest of a message of %d bytes from rank %d has not come for %.0f s", size,
              from->MPI_SOURCE, waited);
        if (waited > SPIN) clock_sleep(NAP);
    }
cleanup:
    return rc;
}

enum err_code transport_next(bool *found, struct transport *m, int *rank, enum message_tag *tag,
                             struct message_head *head, const void **payload, struct err *err) {
    enum err_code rc = ERR_OK;
    MPI_Status status;
    unsigned char *letter = NULL;
    int size = 0;
    *found = false;
    if (m->first) TRY(sweep(m, err));
    TRY(look(found, m, &status, &size, err));
    if (!*found) return ERR_OK;
    CHECK((size_t)size >= sizeof *head, ERR_BUG, "a message of %d bytes from rank %d", size,
          status.MPI_SOURCE);
    TRY(place(&letter, m, status.MPI_TAG, (size_t)size, err));
    TRY(receive(m, letter, size, &status, err));
    memcpy(head, letter, sizeof *head);
    CHECK(head->size == (size_t)size - sizeof *head, ERR_BUG, "a torn message from rank %d",
          status.MPI_SOURCE);
    *payload = letter + sizeof *head;
    *rank = status.MPI_SOURCE;
    *tag = (enum message_tag)status.MPI_TAG;
cleanup:
    return rc;
}

bool transport_under_way(const struct transport *m) { return m->first != NULL; }

/* Letters that a dead rank will never take stay MPI's. */
void transport_release(struct transport *m, double patience) {
    const double end = clock_now() + patience;
    while (m->first && sweep(m, NULL) == ERR_OK && m->first && clock_now() < end) clock_sleep(1e-4);
    text_release(&m->in);
    transport_init(m, m->patience);
}
