#include "par/mail.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "par/mpi_check.h"

struct mail_letter {
    struct mail_letter *next;
    MPI_Request request;
    unsigned char bytes[];
};

void mail_init(struct mail *m) {
    *m = (struct mail){0};
    m->last = &m->first;
}

/* Frees the letters that have left. */
static enum err_code sweep(struct mail *m, struct err *err) {
    enum err_code rc = ERR_OK;
    struct mail_letter **at = &m->first;
    while (*at) {
        struct mail_letter *letter = *at;
        int gone = 0;
        TRY_MPI(MPI_Test(&letter->request, &gone, MPI_STATUS_IGNORE));
        if (gone) {
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

enum err_code mail_send(struct mail *m, int rank, enum message_tag tag,
                        const struct message_head *head, const void *payload, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t size = sizeof *head + (size_t)head->size;
    struct mail_letter *letter = NULL;
    CHECK(size <= INT_MAX, ERR_DATA, "a message of %zu bytes between ranks: 2 GiB is the most",
          size);
    letter = malloc(sizeof *letter + size);
    CHECK(letter, ERR_MEMORY, "no memory for a message of %zu bytes", size);
    letter->next = NULL;
    memcpy(letter->bytes, head, sizeof *head);
    if (head->size > 0) memcpy(letter->bytes + sizeof *head, payload, (size_t)head->size);
    TRY_MPI(MPI_Isend(letter->bytes, (int)size, MPI_BYTE, rank, (int)tag, MPI_COMM_WORLD,
                      &letter->request));
    *m->last = letter;
    m->last = &letter->next;
    return ERR_OK;
cleanup:
    free(letter);
    return rc;
}

enum err_code mail_next(bool *found, struct mail *m, int *rank, enum message_tag *tag,
                        struct message_head *head, const void **payload, struct err *err) {
    enum err_code rc = ERR_OK;
    MPI_Status status;
    int here = 0, size = 0;
    *found = false;
    if (m->first) TRY(sweep(m, err));
    TRY_MPI(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &here, &status));
    if (!here) return ERR_OK;
    TRY_MPI(MPI_Get_count(&status, MPI_BYTE, &size));
    CHECK((size_t)size >= sizeof *head, ERR_BUG, "a message of %d bytes from rank %d", size,
          status.MPI_SOURCE);
    if (m->in.capacity < (size_t)size) {
        text_release(&m->in);
        m->in.data = malloc((size_t)size);
        CHECK(m->in.data, ERR_MEMORY, "no memory for a message of %d bytes", size);
        m->in.capacity = (size_t)size;
    }
    TRY_MPI(MPI_Recv(m->in.data, size, MPI_BYTE, status.MPI_SOURCE, status.MPI_TAG, MPI_COMM_WORLD,
                     MPI_STATUS_IGNORE));
    memcpy(head, m->in.data, sizeof *head);
    CHECK(head->size == (size_t)size - sizeof *head, ERR_BUG, "a torn message from rank %d",
          status.MPI_SOURCE);
    *payload = m->in.data + sizeof *head;
    *rank = status.MPI_SOURCE;
    *tag = (enum message_tag)status.MPI_TAG;
    *found = true;
cleanup:
    return rc;
}

bool mail_under_way(const struct mail *m) { return m->first != NULL; }

/* Letters that a dead rank will never take stay MPI's. */
void mail_release(struct mail *m, double patience) {
    const double end = clock_now() + patience;
    while (m->first && sweep(m, NULL) == ERR_OK && m->first && clock_now() < end) clock_sleep(1e-4);
    text_release(&m->in);
    mail_init(m);
}
