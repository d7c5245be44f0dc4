#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/text.h"
#include "par/farm.h"
#include "par/host.h"
#include "par/pipe.h"
#include "par/spawn.h"

static const size_t MEMORY_MARGIN = (size_t)1 << 30; /* BLAS buffers, fragments, kept contexts */

struct parcel { /* a GROUP message not yet asked for */
    struct parcel *next;
    int from;
    size_t size;
    unsigned char data[];
};

struct child {
    struct pipe pipe;
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
        return head->serial == c->serial ? keep_parcel(c, head, payload, err) : ERR_OK;
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
        TRY(pipe_fill(&c->pipe, wait, err));
        while (pipe_next(&c->pipe, &head, &payload)) {
            TRY(take_in(c, &head, payload, err));
            wait = false;
        }
        if (c->pipe.ended) _exit(0); /* the supervisor is gone, or needs us no more */
    } while (wait);
cleanup:
    return rc;
}

/* ---------------------------------------------------------------- the link of a job */

static enum err_code link_post(void *self, const struct message_head *head, const void *payload,
                               struct err *err) {
    struct child *c = self;
    return pipe_send(&c->pipe, head, payload, err);
}

static bool link_stopping(void *self) {
    struct child *c = self;
    (void)listen_in(c, false, NULL);
    return c->stop;
}

static struct parcel *take_parcel(struct child *c, int from) {
    for (struct parcel **at = &c->parcels; *at; at = &(*at)->next)
        if ((*at)->from == from) {
            struct parcel *parcel = *at;
            *at = parcel->next;
            return parcel;
        }
    return NULL;
}

static enum err_code link_receive(void *self, int from, void *data, size_t size, struct err *err) {
    enum err_code rc = ERR_OK;
    struct child *c = self;
    const struct message_head waiting = {.kind = MESSAGE_WAITING, .serial = c->serial};
    struct parcel *parcel = take_parcel(c, from);
    if (!parcel) {
        TRY(listen_in(c, false, err));
        parcel = take_parcel(c, from);
    }
    while (!parcel) { /* said again after every arrival, which starts the clock of a hang anew */
        TRY(pipe_send(&c->pipe, &waiting, NULL, err));
        TRY(listen_in(c, true, err));
        parcel = take_parcel(c, from);
    }
    CHECK(parcel->size == size, ERR_BUG, "expected %zu bytes from rank %d of the group, got %zu",
          size, from, parcel->size);
    memcpy(data, parcel->data, size);
cleanup:
    free(parcel);
    return rc;
}

/* ---------------------------------------------------------------- one order after the other */

static enum err_code compute_order(struct child *c, farm_compute *compute, void *context,
                                   struct err *err) {
    struct message_order o;
    const struct host_link link = {c, link_post, link_stopping, link_receive};
    memcpy(&o, c->order.data, sizeof o);
    const char *identity = c->order.data + sizeof o + (size_t)o.group_size * sizeof(int32_t);
    const char *dir = identity + strlen(identity) + 1;
    const struct host_order order = {.identity = identity,
                                     .dir = dir,
                                     .text = dir + strlen(dir) + 1,
                                     .serial = c->serial,
                                     .group_rank = o.group_rank,
                                     .group_size = o.group_size,
                                     .memory = (size_t)o.memory,
                                     .inject = (enum inject_kind)o.inject};
    const uint64_t most = o.memory > o.planned ? o.memory : o.planned;
    spawn_limit_memory(o.memory ? (size_t)(most + most / 4) + MEMORY_MARGIN : 0);
    return host_compute(&order, &link, compute, context, err);
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
    if (!spawn_arrive(fd)) return 0;
    pipe_init(&c.pipe, fd);
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
