#include "par/farm.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "journal/event.h"
#include "par/coordinator.h"
#include "par/job_host.h"
#include "par/transport_local.h"
#include "par/transport_mpi.h"
#include "par/worker.h"

static const double HELLO_TIMEOUT = 60.0; /* seconds in which all ranks must have sent HELLO */

/* Seconds that a rank waits for rank 0 before its first message, while rank 0 reads the config and
 * the journal, and after the attempt, while it writes results.h5. */
static const double QUIET_TIMEOUT = 1800.0;

static const double SEND_TIMEOUT = 5.0; /* seconds in which the last messages must have been sent */
static const double SLEEP_MOST = 5e-3;  /* seconds */
static const double HANG_AFTER = 600.0; /* seconds without progress(), unless the caller sets it */

double farm_hang_after(const struct farm *f) {
    return f->hang_after > 0.0 ? f->hang_after : HANG_AFTER;
}

/* ---------------------------------------------------------------- transport */

struct farm_transport { /* the one of the two that this run needs */
    bool is_mpi;
    struct transport_mpi mpi;
    struct transport_local local;
};

static struct transport *open_transport(struct farm_transport *t, const struct par *p) {
    t->is_mpi = p->started;
    transport_mpi_init(&t->mpi, p->silence / 2);
    transport_local_init(&t->local);
    return t->is_mpi ? &t->mpi.base : &t->local.base;
}

static void close_transport(struct farm_transport *t) {
    if (t->is_mpi) transport_mpi_release(&t->mpi, SEND_TIMEOUT);
    transport_local_release(&t->local);
}

/* ---------------------------------------------------------------- hello */

static enum err_code send_hello(struct transport *transport, const struct par *p,
                                const char *machine, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text payload = {0};
    text_bytes(&payload, p->host, strlen(p->host) + 1);
    text_bytes(&payload, machine, strlen(machine) + 1);
    TRY(text_check(&payload, err));
    const struct message_head head = {.kind = MESSAGE_HELLO, .size = payload.size};
    TRY(transport_send(transport, 0, TAG_COORDINATOR, &head, payload.data, err));
cleanup:
    text_release(&payload);
    return rc;
}

/* BLAS kernels of two machines give different bits. */
static enum err_code compare_machines(const struct farm *f, const struct par *p, int rank,
                                      const char *payload, struct err *err) {
    const char *machine = payload + strlen(payload) + 1;
    if (strcmp(machine, f->machine) == 0) return ERR_OK;
    return ERR(err, ERR_CONFIG,
               "rank 0 on %s is \"%s\", rank %d on %s is \"%s\": results would depend on who "
               "computes what. Use the same build everywhere, and pin the BLAS kernel with "
               "OPENBLAS_CORETYPE=Haswell",
               p->host, f->machine, rank, payload, machine);
}

/* "node1*4 node2*4": hosts [size] in the order of the ranks, equal neighbours counted. */
static void list_hosts(struct text *out, char *const *hosts, int size) {
    for (int rank = 0, n = 0; rank < size; rank += n) {
        for (n = 1; rank + n < size && strcmp(hosts[rank], hosts[rank + n]) == 0;) n++;
        text_add(out, "%s%s*%d", rank ? " " : "", hosts[rank], n);
    }
}

/* Every rank reports its host and machine before any job is dispatched. *list: the hosts. */
static enum err_code receive_hellos(const struct farm *f, struct par *p,
                                    struct transport *transport, struct text *list,
                                    struct err *err) {
    enum err_code rc = ERR_OK;
    const double end = clock_now() + HELLO_TIMEOUT;
    char **hosts = calloc((size_t)p->size, sizeof *hosts);
    CHECK(hosts, ERR_MEMORY, "no memory for %d ranks", p->size);
    hosts[0] = text_copy(p->host);
    for (int missing = p->size - 1; missing > 0;) {
        struct message_head head;
        enum message_tag tag;
        const void *payload;
        bool found;
        int rank;
        TRY(transport_receive(&found, transport, &rank, &tag, &head, &payload, err));
        if (found && head.kind == MESSAGE_HELLO) {
            TRY(compare_machines(f, p, rank, payload, err));
            hosts[rank] = text_copy(payload);
            missing--;
        }
        CHECK(clock_now() < end, ERR_MPI,
              "%d of %d ranks have sent nothing for %.0f s: see whether they started", missing,
              p->size, HELLO_TIMEOUT);
        if (!found) clock_sleep(1e-4);
    }
    for (int rank = 0; rank < p->size; rank++)
        CHECK(hosts[rank], ERR_MEMORY, "no memory for the hosts of %d ranks", p->size);
    list_hosts(list, hosts, p->size);
    TRY(text_check(list, err));
cleanup:
    for (int rank = 0; hosts && rank < p->size; rank++) free(hosts[rank]);
    free(hosts);
    return rc;
}

/* ---------------------------------------------------------------- rank 0 with children */

/* Everything that has arrived: to the coordinator (NULL on other ranks) or to this rank's worker.
 */
static enum err_code receive_all(struct transport *transport, struct worker *w,
                                 struct coordinator *c, struct err *err) {
    enum err_code rc = ERR_OK;
    bool found = true;
    while (found) {
        struct message_head head;
        enum message_tag tag;
        const void *payload;
        int rank;
        TRY(transport_receive(&found, transport, &rank, &tag, &head, &payload, err));
        if (!found) break;
        if (tag != TAG_COORDINATOR) {
            TRY(worker_receive(w, &head, payload, err));
        } else if (c) {
            if (head.kind != MESSAGE_PROGRESS && head.kind != MESSAGE_ALIVE)
                w->last_event = clock_now();
            TRY(coordinator_receive(c, rank, &head, payload, err));
        }
    }
cleanup:
    return rc;
}

static enum err_code coordinate(struct coordinator *c, struct worker *w, struct err *err) {
    enum err_code rc = ERR_OK;
    while (!coordinator_is_finished(c)) {
        TRY(worker_tick(w, err));
        /* A rank that is done gets its next order before this one sleeps; the second call passes
         * this rank's own order to its child. */
        TRY(receive_all(c->transport, w, c, err));
        TRY(coordinator_dispatch(c, err));
        TRY(receive_all(c->transport, w, c, err));
        TRY(coordinator_tick(c, err));
        worker_sleep(w, SLEEP_MOST);
    }
cleanup:
    return rc;
}

static void send_to_all(struct transport *transport, const struct par *p, enum message_kind kind) {
    const struct message_head head = {.kind = kind};
    for (int rank = 1; rank < p->size; rank++)
        (void)transport_send(transport, rank, TAG_WORKER, &head, NULL, NULL);
}

/* ---------------------------------------------------------------- rank 0 alone, without a child */

struct local { /* the link of a job that is computed in this process */
    struct coordinator *c;
    struct err problem; /* of the coordinator, while the job ran */
};

static enum err_code local_post(void *self, const struct message_head *head, const void *payload,
                                struct err *err) {
    struct local *l = self;
    enum err_code rc = ERR_OK;
    if (head->kind == MESSAGE_GROUP) return ERR(err, ERR_BUG, "a group of one sent a message");
    TRY(coordinator_receive(l->c, 0, head, payload, err));
    TRY(coordinator_tick(l->c, err));
cleanup:
    return rc;
}

static bool local_stopping(void *self) {
    struct local *l = self;
    if (l->problem.code == ERR_OK) (void)coordinator_tick(l->c, &l->problem);
    return l->c->stop.step != STOP_NONE || l->problem.code != ERR_OK;
}

static enum err_code local_receive(void *self, int from, void *data, size_t size, struct err *err) {
    (void)self, (void)data;
    return ERR(err, ERR_BUG, "a group of one waits for %zu bytes from %d", size, from);
}

static enum err_code compute_here(struct coordinator *c, size_t job, struct context_cache *cache,
                                  struct err *err) {
    enum err_code rc = ERR_OK;
    struct text text = {0};
    struct local l = {.c = c};
    const struct job_host_link link = {&l, local_post, local_stopping, local_receive};
    struct job_host_order order = {.identity = c->f->jobs[job].identity,
                                   .dir = c->dir,
                                   .group_size = 1,
                                   .memory = c->f->memory,
                                   .planned = (size_t)c->f->jobs[job].cost.memory,
                                   .cache = cache};
    TRY(coordinator_start_in_process(c, job, &text, &order.serial, &order.inject, err));
    order.text = text_str(&text);
    order.contexts = coordinator_contexts(c, job, 0);
    order.context_bytes = coordinator_context_bytes(c, job);
    TRY(job_host_compute(&order, &link, c->f->compute, c->f->compute_context, err));
    if (l.problem.code != ERR_OK) {
        *err = l.problem;
        rc = l.problem.code;
    }
cleanup:
    text_release(&text);
    return rc;
}

static enum err_code coordinate_here(struct coordinator *c, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t job;
    int group;
    struct context_cache *cache = NULL;
    TRY(context_cache_create(&cache, NULL, err));
    while (!coordinator_is_finished(c)) {
        TRY(coordinator_tick(c, err));
        if (coordinator_next_job(&job, &group, c)) TRY(compute_here(c, job, cache, err));
    }
cleanup:
    context_cache_destroy(cache);
    return rc;
}

/* ---------------------------------------------------------------- the three entries */

static enum err_code run_attempt(struct coordinator *c, struct worker *w, struct farm_outcome *out,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    rc = c->f->in_process ? coordinate_here(c, err) : coordinate(c, w, err);
    if (rc == ERR_OK && c->fatal.code != ERR_OK) {
        *err = c->fatal;
        rc = c->fatal.code;
    } else if (rc != ERR_OK && c->fatal.code == ERR_OK) {
        c->fatal = *err;
    }
    worker_drop_child(w);
    send_to_all(c->transport, c->par, MESSAGE_ATTEMPT_ENDED);
    struct err second = {0};
    const enum err_code ended = coordinator_end(c, out, &second);
    if (rc == ERR_OK && ended != ERR_OK) {
        *err = second;
        rc = ended;
    }
    return rc;
}

enum err_code farm_run(const struct farm *f, struct par *p, struct farm_outcome *out,
                       struct err *err) {
    enum err_code rc = ERR_OK;
    struct farm_transport transports;
    struct transport *transport = open_transport(&transports, p);
    struct worker w;
    struct coordinator c = {.f = f, .par = p, .transport = transport, .own_child = &w.pid};
    bool work = false;
    *out = (struct farm_outcome){.jobs = f->n_jobs, .pending = f->n_jobs};
    worker_init(&w, transport, p);
    c.journal.fd = -1; /* for coordinator_release(), should it never be opened */
    CHECK(!f->in_process || p->size == 1, ERR_USAGE,
          "--in-process is for one rank, there are %d: start it without mpirun", p->size);
    TRY(receive_hellos(f, p, transport, &c.hosts, err));
    TRY(coordinator_begin(&c, &work, err));
    if (work)
        TRY(run_attempt(&c, &w, out, err));
    else
        coordinator_outcome(out, &c);
cleanup:
    worker_release(&w);
    close_transport(&transports);
    coordinator_release(&c);
    return rc;
}

enum err_code farm_serve(struct par *p, const char *machine, const struct log *log,
                         struct err *err) {
    enum err_code rc = ERR_OK;
    struct farm_transport transports;
    struct transport *transport = open_transport(&transports, p);
    struct worker w;
    worker_init(&w, transport, p);
    TRY(send_hello(transport, p, machine, err));
    while (!w.released) {
        TRY(receive_all(transport, &w, NULL, err));
        TRY(worker_tick(&w, err));
        const double silent = w.suspension.now - w.last_heard;
        CHECK(silent < (w.heard_once && !w.attempt_ended ? p->silence : QUIET_TIMEOUT), ERR_MPI,
              "rank %d has received nothing from rank 0 for %.0f s: it exits", p->rank, silent);
        if (!w.released) worker_sleep(&w, w.attempt_ended ? SLEEP_MOST : 1.0);
    }
cleanup:
    if (rc != ERR_OK) log_line(log, LOG_ERROR, "%s", err->msg);
    worker_release(&w);
    close_transport(&transports);
    return rc;
}

/* Messages that the others still send (HELLO, ALIVE) are small; MPI_Finalize drops them. */
void farm_release(struct par *p) {
    struct farm_transport transports;
    struct transport *transport = open_transport(&transports, p);
    send_to_all(transport, p, MESSAGE_RELEASE);
    close_transport(&transports);
}
