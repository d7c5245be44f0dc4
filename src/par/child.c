#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/text.h"
#include "par/child_pipe.h"
#include "par/child_process.h"
#include "par/farm.h"
#include "par/job_host.h"
#include "par/shared_memory.h"

static const size_t MEMORY_MARGIN = (size_t)1 << 30; /* BLAS buffers, fragments, kept contexts */

struct parcel { /* a GROUP message not yet asked for */
    struct parcel *next;
    int from;
    size_t size;
    unsigned char data[];
};

struct wanted { /* where the next GROUP message of a rank is to go */
    int from;
    void *data; /* NULL: nothing is wanted, or it has come */
    size_t size;
};

struct child {
    struct child_pipe pipe;
    struct shared_memory share;
    bool outbox, said; /* it is empty; so is the inbox, once said */
    struct wanted wanted;
    struct parcel *parcels; /* in order of arrival */
    uint64_t serial;
    bool stop, ordered;
    struct text order; /* payload of the order in work */
};

/* ---------------------------------------------------------------- what arrives */

static enum err_code keep_parcel(struct child *c, const struct message_head *head,
                                 const void *payload, struct err *err) {
    struct parcel **last = &c->parcels;
    struct parcel *parcel = malloc(sizeof *parcel + (size_t)head->size);
    if (!parcel)
        return ERR(err, ERR_MEMORY, "no memory for a message of %zu bytes", (size_t)head->size);
    *parcel = (struct parcel){.from = head->from, .size = (size_t)head->size};
    memcpy(parcel->data, payload, (size_t)head->size);
    while (*last) last = &(*last)->next;
    *last = parcel;
    return ERR_OK;
}

static enum err_code take_parcel(struct child *c, const struct message_head *head,
                                 const void *payload, struct err *err) {
    struct wanted *w = &c->wanted;
    if (head->serial != c->serial) return ERR_OK; /* of a job that is over */
    if (!w->data || w->from != head->from || w->size != head->size)
        return keep_parcel(c, head, payload, err);
    memcpy(w->data, payload, w->size);
    w->data = NULL;
    return ERR_OK;
}

static enum err_code say(struct child *c, enum message_kind kind, struct err *err) {
    const struct message_head head = {.kind = kind, .serial = c->serial};
    return child_pipe_send(&c->pipe, &head, NULL, err);
}

static enum err_code empty_inbox(struct child *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const unsigned char *letter = shared_memory_inbox(&c->share);
    struct message_head head;
    memcpy(&head, letter, sizeof head);
    TRY(take_parcel(c, &head, letter + sizeof head, err));
    TRY(say(c, MESSAGE_TAKEN, err));
cleanup:
    return rc;
}

static enum err_code take_in(struct child *c, const struct message_head *head, const void *payload,
                             struct err *err) {
    switch (head->kind) {
    case MESSAGE_ORDER:
        c->serial = head->serial;
        c->stop = false;
        c->ordered = true;
        text_clear(&c->order);
        text_bytes(&c->order, payload, (size_t)head->size);
        return text_check(&c->order, err);
    case MESSAGE_STOP:
        c->stop = true;
        return ERR_OK;
    case MESSAGE_GROUP:
        return take_parcel(c, head, payload, err);
    case MESSAGE_INBOX:
        return empty_inbox(c, err);
    case MESSAGE_SENT:
        c->outbox = c->share.boxes != NULL;
        return ERR_OK;
    default:
        return ERR(err, ERR_BUG, "a compute child cannot read message %u", head->kind);
    }
}

/* wait: until at least one message is in. The end of the socket is the end of this process. */
static enum err_code listen_in(struct child *c, bool wait, struct err *err) {
    enum err_code rc = ERR_OK;
    struct message_head head;
    const void *payload;
    do {
        TRY(child_pipe_fill(&c->pipe, wait, err));
        while (child_pipe_next(&c->pipe, &head, &payload)) {
            TRY(take_in(c, &head, payload, err));
            wait = false;
        }
        if (c->pipe.ended) _exit(0); /* the supervisor is gone, or needs us no more */
    } while (wait);
cleanup:
    return rc;
}

/* ---------------------------------------------------------------- the link of a job */

/* Once it is empty; what the others send meanwhile is taken in, or all might wait for all. */
static enum err_code fill_outbox(struct child *c, const struct message_head *head,
                                 const void *payload, struct err *err) {
    enum err_code rc = ERR_OK;
    while (!c->outbox) {
        TRY(say(c, MESSAGE_WAITING, err));
        TRY(listen_in(c, true, err));
    }
    c->outbox = false;
    memcpy(shared_memory_outbox(&c->share), head, sizeof *head);
    memcpy(shared_memory_outbox(&c->share) + sizeof *head, payload, (size_t)head->size);
    TRY(say(c, MESSAGE_OUTBOX, err));
cleanup:
    return rc;
}

static enum err_code link_post(void *self, const struct message_head *head, const void *payload,
                               struct err *err) {
    struct child *c = self;
    if (head->kind == MESSAGE_GROUP && shared_memory_fits(&c->share, (size_t)head->size))
        return fill_outbox(c, head, payload, err);
    return child_pipe_send(&c->pipe, head, payload, err);
}

static bool link_stopping(void *self) {
    struct child *c = self;
    (void)listen_in(c, false, NULL);
    return c->stop;
}

static struct parcel *find_parcel(struct child *c, int from) {
    for (struct parcel **at = &c->parcels; *at; at = &(*at)->next)
        if ((*at)->from == from) {
            struct parcel *parcel = *at;
            *at = parcel->next;
            return parcel;
        }
    return NULL;
}

/* The next message of that rank: one that came before it was asked for, else where it is wanted.
 * Once it has gone there, what follows it is for the next call. */
static enum err_code link_receive(void *self, int from, void *data, size_t size, struct err *err) {
    enum err_code rc = ERR_OK;
    struct child *c = self;
    struct parcel *parcel = find_parcel(c, from);
    bool wait = false;
    if (!parcel) c->wanted = (struct wanted){from, data, size};
    while (!parcel && c->wanted.data) { /* said again after every arrival, which starts the clock
                                         * of a hang anew */
        if (wait) TRY(say(c, MESSAGE_WAITING, err));
        TRY(listen_in(c, wait, err));
        if (c->wanted.data) parcel = find_parcel(c, from);
        wait = true;
    }
    if (!parcel) goto cleanup;
    CHECK(parcel->size == size, ERR_BUG, "expected %zu bytes from rank %d of the group, got %zu",
          size, from, parcel->size);
    memcpy(data, parcel->data, size);
cleanup:
    c->wanted.data = NULL;
    free(parcel);
    return rc;
}

/* ---------------------------------------------------------------- one order after the other */

static enum err_code compute_order(struct child *c, farm_compute *compute, void *context,
                                   struct err *err) {
    enum err_code rc = ERR_OK;
    struct message_order o;
    const struct job_host_link link = {c, link_post, link_stopping, link_receive};
    memcpy(&o, c->order.data, sizeof o);
    const char *identity = c->order.data + sizeof o + (size_t)o.group_size * sizeof(int32_t);
    const char *dir = identity + strlen(identity) + 1;
    const struct job_host_order order = {.identity = identity,
                                         .dir = dir,
                                         .text = dir + strlen(dir) + 1,
                                         .serial = c->serial,
                                         .group_rank = o.group_rank,
                                         .group_size = o.group_size,
                                         .memory = (size_t)o.memory,
                                         .inject = (enum inject_kind)o.inject};
    const uint64_t most = o.planned && o.planned < o.memory ? o.planned : o.memory;
    if (o.group_size > 1 && c->share.boxes && !c->said) {
        TRY(say(c, MESSAGE_TAKEN, err));
        c->said = true;
    }
    child_process_limit_memory(o.memory ? (size_t)(most + most / 4) + MEMORY_MARGIN : 0);
    TRY(job_host_compute(&order, &link, compute, context, err));
cleanup:
    return rc;
}

static void drop_parcels(struct child *c) {
    while (c->parcels) {
        struct parcel *next = c->parcels->next;
        free(c->parcels);
        c->parcels = next;
    }
}

int farm_child(int fd, farm_compute *compute, void *context) {
    enum err_code rc = ERR_OK;
    struct err problem = {0}, *err = &problem;
    struct child c = {0};
    int memory;
    if (!child_process_arrive(fd, &memory)) return 0;
    child_pipe_init(&c.pipe, fd);
    shared_memory_open(&c.share, memory);
    for (;;) {
        while (!c.ordered) TRY(listen_in(&c, true, err));
        c.ordered = false;
        TRY(compute_order(&c, compute, context, err));
        drop_parcels(&c);
    }
cleanup:
    log_line(&(struct log){.level = LOG_ERROR}, LOG_ERROR, "compute child: %s", problem.msg);
    return err_exit_code(rc);
}
