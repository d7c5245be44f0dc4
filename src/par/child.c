/* The compute child: computes one order after another, and talks to its supervisor over a socket.
 * It keeps the contexts of its last jobs for those that follow, as far as they leave room. */
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

static const size_t MEMORY_MARGIN = (size_t)1 << 30; /* bytes: BLAS buffers, fragmentation */

struct early { /* a GROUP message that the job has not asked for yet */
    struct early *next;
    int from;
    size_t size;
    unsigned char data[];
};

struct wanted { /* the GROUP message that the job waits for, and where it goes */
    int from;
    void *data; /* NULL: it waits for none, or the message has come */
    size_t size;
};

struct child {
    struct child_pipe pipe;
    struct shared_memory memory;
    bool outbox_empty;   /* the supervisor has reported it */
    bool inbox_reported; /* the supervisor has been told that the inbox is empty */
    struct wanted wanted;
    struct early *early;            /* in order of arrival */
    uint64_t serial;                /* of the running task */
    bool stop;                      /* it was asked to stop */
    bool has_order;                 /* an order that is not computed yet */
    struct text order;              /* its payload */
    struct context_cache *contexts; /* of the jobs so far */
};

/* ---------------------------------------------------------------- what arrives */

static enum err_code keep_early(struct child *c, const struct message_head *head,
                                const void *payload, struct err *err) {
    struct early **last = &c->early;
    struct early *message = malloc(sizeof *message + (size_t)head->size);
    if (!message)
        return ERR(err, ERR_MEMORY, "no memory for a message of %zu bytes", (size_t)head->size);
    *message = (struct early){.from = head->from, .size = (size_t)head->size};
    memcpy(message->data, payload, (size_t)head->size);
    while (*last) last = &(*last)->next;
    *last = message;
    return ERR_OK;
}

static enum err_code receive_group(struct child *c, const struct message_head *head,
                                   const void *payload, struct err *err) {
    struct wanted *w = &c->wanted;
    if (head->serial != c->serial) return ERR_OK; /* its task has ended */
    if (!w->data || w->from != head->from || w->size != head->size)
        return keep_early(c, head, payload, err);
    memcpy(w->data, payload, w->size);
    w->data = NULL;
    return ERR_OK;
}

static enum err_code notify(struct child *c, enum message_kind kind, struct err *err) {
    const struct message_head head = {.kind = kind, .serial = c->serial};
    return child_pipe_send(&c->pipe, &head, NULL, err);
}

static enum err_code empty_inbox(struct child *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const unsigned char *message = shared_memory_inbox(&c->memory);
    struct message_head head;
    memcpy(&head, message, sizeof head);
    TRY(receive_group(c, &head, message + sizeof head, err));
    TRY(notify(c, MESSAGE_INBOX_EMPTY, err));
cleanup:
    return rc;
}

static enum err_code receive(struct child *c, const struct message_head *head, const void *payload,
                             struct err *err) {
    switch (head->kind) {
    case MESSAGE_ORDER:
        c->serial = head->serial;
        c->stop = false;
        c->has_order = true;
        text_clear(&c->order);
        text_bytes(&c->order, payload, (size_t)head->size);
        return text_check(&c->order, err);
    case MESSAGE_STOP:
        c->stop = true;
        return ERR_OK;
    case MESSAGE_GROUP:
        return receive_group(c, head, payload, err);
    case MESSAGE_INBOX_FULL:
        return empty_inbox(c, err);
    case MESSAGE_OUTBOX_EMPTY:
        c->outbox_empty = c->memory.boxes != NULL;
        return ERR_OK;
    default:
        return ERR(err, ERR_BUG, "a compute child cannot read message %u", head->kind);
    }
}

/* wait: until at least one message has come. When the socket is closed this process exits: the
 * supervisor is dead, or no longer needs a child. */
static enum err_code receive_messages(struct child *c, bool wait, struct err *err) {
    enum err_code rc = ERR_OK;
    struct message_head head;
    const void *payload;
    do {
        TRY(child_pipe_fill(&c->pipe, wait, err));
        while (child_pipe_next(&c->pipe, &head, &payload)) {
            TRY(receive(c, &head, payload, err));
            wait = false;
        }
        if (c->pipe.ended) _exit(0);
    } while (wait);
cleanup:
    return rc;
}

/* ---------------------------------------------------------------- the link of a job */

/* Waits until the outbox is empty. Messages of other ranks are received meanwhile; otherwise two
 * ranks that send to each other would wait forever. */
static enum err_code fill_outbox(struct child *c, const struct message_head *head,
                                 const void *payload, struct err *err) {
    enum err_code rc = ERR_OK;
    while (!c->outbox_empty) {
        TRY(notify(c, MESSAGE_WAITING, err));
        TRY(receive_messages(c, true, err));
    }
    c->outbox_empty = false;
    memcpy(shared_memory_outbox(&c->memory), head, sizeof *head);
    memcpy(shared_memory_outbox(&c->memory) + sizeof *head, payload, (size_t)head->size);
    TRY(notify(c, MESSAGE_OUTBOX_FULL, err));
cleanup:
    return rc;
}

static enum err_code link_post(void *self, const struct message_head *head, const void *payload,
                               struct err *err) {
    struct child *c = self;
    if (head->kind == MESSAGE_GROUP && shared_memory_fits(&c->memory, (size_t)head->size))
        return fill_outbox(c, head, payload, err);
    return child_pipe_send(&c->pipe, head, payload, err);
}

static bool link_stopping(void *self) {
    struct child *c = self;
    (void)receive_messages(c, false, NULL);
    return c->stop;
}

static struct early *find_early(struct child *c, int from) {
    for (struct early **at = &c->early; *at; at = &(*at)->next)
        if ((*at)->from == from) {
            struct early *message = *at;
            *at = message->next;
            return message;
        }
    return NULL;
}

/* The next message of that rank: an early one, or the next to arrive, which goes straight to
 * `data`. WAITING is sent again after every arrival, because it suspends the supervisor's check for
 * a hang. */
static enum err_code link_receive(void *self, int from, void *data, size_t size, struct err *err) {
    enum err_code rc = ERR_OK;
    struct child *c = self;
    struct early *message = find_early(c, from);
    bool wait = false;
    if (!message) c->wanted = (struct wanted){from, data, size};
    while (!message && c->wanted.data) {
        if (wait) TRY(notify(c, MESSAGE_WAITING, err));
        TRY(receive_messages(c, wait, err));
        if (c->wanted.data) message = find_early(c, from);
        wait = true;
    }
    if (!message) goto cleanup;
    CHECK(message->size == size, ERR_BUG, "expected %zu bytes from rank %d of the group, got %zu",
          size, from, message->size);
    memcpy(data, message->data, size);
cleanup:
    c->wanted.data = NULL;
    free(message);
    return rc;
}

/* ---------------------------------------------------------------- orders */

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
                                         .planned = (size_t)o.planned,
                                         .context_bytes = (size_t)o.context_bytes,
                                         .contexts = o.contexts,
                                         .cache = c->contexts,
                                         .inject = (enum inject_kind)o.inject};
    const uint64_t most = o.planned && o.planned < o.memory ? o.planned : o.memory;
    if (o.group_size > 1 && c->memory.boxes && !c->inbox_reported) {
        TRY(notify(c, MESSAGE_INBOX_EMPTY, err));
        c->inbox_reported = true;
    }
    child_process_limit_memory(o.memory ? (size_t)(most + most / 4) + MEMORY_MARGIN : 0);
    TRY(job_host_compute(&order, &link, compute, context, err));
cleanup:
    return rc;
}

static void drop_early(struct child *c) {
    while (c->early) {
        struct early *next = c->early->next;
        free(c->early);
        c->early = next;
    }
}

int farm_child(int fd, farm_compute *compute, void *context) {
    enum err_code rc = ERR_OK;
    struct err problem = {0}, *err = &problem;
    struct child c = {0};
    int memory_fd;
    if (!child_process_arrive(fd, &memory_fd)) return 0;
    child_pipe_init(&c.pipe, fd);
    shared_memory_open(&c.memory, memory_fd);
    TRY(context_cache_create(&c.contexts, child_process_move_limit, err));
    for (;;) {
        while (!c.has_order) TRY(receive_messages(&c, true, err));
        c.has_order = false;
        TRY(compute_order(&c, compute, context, err));
        drop_early(&c);
    }
cleanup:
    context_cache_destroy(c.contexts);
    log_line(&(struct log){.level = LOG_ERROR}, LOG_ERROR, "compute child: %s", problem.msg);
    return err_exit_code(rc);
}
