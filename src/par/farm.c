#include "par/farm.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "journal/event.h"
#include "par/coordinator.h"
#include "par/job_host.h"
#include "par/transport.h"
#include "par/worker.h"

static const double HELLO_PATIENCE = 60.0, FIRST_SILENCE = 1800.0; /* seconds */
static const double MAIL_PATIENCE = 5.0, NAP_MOST = 5e-3;

/* ---------------------------------------------------------------- hello */

static enum err_code say_hello(struct transport *mail, const struct par *p, const char *machine,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    struct text payload = {0};
    text_bytes(&payload, p->host, strlen(p->host) + 1);
    text_bytes(&payload, machine, strlen(machine) + 1);
    TRY(text_check(&payload, err));
    const struct message_head head = {.kind = MESSAGE_HELLO, .size = payload.size};
    TRY(transport_send(mail, 0, TAG_COORDINATOR, &head, payload.data, err));
cleanup:
    text_release(&payload);
    return rc;
}

static enum err_code compare(const struct farm *f, const struct par *p, int rank,
                             const char *payload, struct err *err) {
    const char *machine = payload + strlen(payload) + 1;
    if (strcmp(machine, f->machine) == 0) return ERR_OK;
    return ERR(err, ERR_CONFIG,
               "rank 0 on %s is \"%s\", rank %d on %s is \"%s\": results would depend on who "
               "computes what. Use the same build everywhere, and pin the BLAS kernel with "
               "OPENBLAS_CORETYPE=Haswell",
               p->host, f->machine, rank, payload, machine);
}

/* "node1*4 node2*4": hosts [size] in the order of the ranks, those that follow each other once. */
static void list_hosts(struct text *out, char *const *hosts, int size) {
    for (int rank = 0, n = 0; rank < size; rank += n) {
        for (n = 1; rank + n < size && strcmp(hosts[rank], hosts[rank + n]) == 0;) n++;
        text_add(out, "%s%s*%d", rank ? " " : "", hosts[rank], n);
    }
}

/* Every rank says where it is and what machine before anything is handed out. */
static enum err_code collect_hellos(const struct farm *f, struct par *p, struct transport *mail,
                                    struct text *list, struct err *err) {
    enum err_code rc = ERR_OK;
    const double end = clock_now() + HELLO_PATIENCE;
    char **hosts = calloc((size_t)p->size, sizeof *hosts);
    CHECK(hosts, ERR_MEMORY, "no memory for %d ranks", p->size);
    hosts[0] = text_copy(p->host);
    for (int missing = p->size - 1; missing > 0;) {
        struct message_head head;
        enum message_tag tag;
        const void *payload;
        bool found;
        int rank;
        TRY(transport_next(&found, mail, &rank, &tag, &head, &payload, err));
        if (found && head.kind == MESSAGE_HELLO) {
            TRY(compare(f, p, rank, payload, err));
            hosts[rank] = text_copy(payload);
            missing--;
        }
        CHECK(clock_now() < end, ERR_MPI, "%d of %d ranks have not said a word in %.0f s", missing,
              p->size, HELLO_PATIENCE);
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

static enum err_code read_mail(struct transport *mail, struct worker *w, struct coordinator *c,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    bool found = true;
    while (found) {
        struct message_head head;
        enum message_tag tag;
        const void *payload;
        int rank;
        TRY(transport_next(&found, mail, &rank, &tag, &head, &payload, err));
        if (!found) break;
        if (tag != TAG_COORDINATOR) {
            TRY(worker_hear(w, &head, payload, err));
        } else if (c) {
            if (head.kind != MESSAGE_PROGRESS && head.kind != MESSAGE_ALIVE)
                w->last_news = clock_now();
            TRY(coordinator_hear(c, rank, &head, payload, err));
        }
    }
cleanup:
    return rc;
}

static enum err_code coordinate(struct coordinator *c, struct worker *w, struct err *err) {
    enum err_code rc = ERR_OK;
    while (!coordinator_is_through(c)) {
        TRY(worker_tick(w, err));
        TRY(read_mail(c->mail, w, c, err)); /* who is done ... */
        TRY(coordinator_dispatch(c, err));  /* ... has the next order before anyone sleeps, */
        TRY(read_mail(c->mail, w, c, err)); /* this rank's own child too */
        TRY(coordinator_tick(c, err));
        worker_nap(w, NAP_MOST);
    }
cleanup:
    return rc;
}

static void tell_all(struct transport *mail, const struct par *p, enum message_kind kind) {
    const struct message_head head = {.kind = kind};
    for (int rank = 1; rank < p->size; rank++)
        (void)transport_send(mail, rank, TAG_WORKER, &head, NULL, NULL);
}

/* ---------------------------------------------------------------- rank 0 alone, without a child */

struct local { /* the link of a job computed in the program itself */
    struct coordinator *c;
    struct err problem; /* of the journal, met while a job ran */
};

static enum err_code local_post(void *self, const struct message_head *head, const void *payload,
                                struct err *err) {
    struct local *l = self;
    enum err_code rc = ERR_OK;
    if (head->kind == MESSAGE_GROUP) return ERR(err, ERR_BUG, "a group of one sent a message");
    TRY(coordinator_hear(l->c, 0, head, payload, err));
    TRY(coordinator_tick(l->c, err));
cleanup:
    return rc;
}

static bool local_stopping(void *self) {
    struct local *l = self;
    if (l->problem.code == ERR_OK) (void)coordinator_tick(l->c, &l->problem);
    return l->c->leave.step != LEAVE_NOT || l->problem.code != ERR_OK;
}

static enum err_code local_receive(void *self, int from, void *data, size_t size, struct err *err) {
    (void)self, (void)data;
    return ERR(err, ERR_BUG, "a group of one waits for %zu bytes from %d", size, from);
}

static enum err_code compute_here(struct coordinator *c, size_t job, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text text = {0};
    struct local l = {.c = c};
    const struct job_host_link link = {&l, local_post, local_stopping, local_receive};
    struct job_host_order order = {.identity = c->f->jobs[job].identity,
                                   .dir = c->dir,
                                   .group_size = 1,
                                   .memory = c->f->memory};
    TRY(coordinator_begin_here(c, job, &text, &order.serial, &order.inject, err));
    order.text = text_str(&text);
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
    while (!coordinator_is_through(c)) {
        TRY(coordinator_tick(c, err));
        if (coordinator_next(&job, &group, c)) TRY(compute_here(c, job, err));
    }
cleanup:
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
    tell_all(c->mail, c->par, MESSAGE_ENDING);
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
    struct transport mail;
    struct worker w;
    struct coordinator c = {.f = f, .par = p, .mail = &mail, .own_child = &w.pid};
    bool work = false;
    *out = (struct farm_outcome){.jobs = f->n_jobs, .pending = f->n_jobs};
    transport_init(&mail, p->silence / 2);
    worker_init(&w, &mail, p);
    c.journal.fd = -1;
    CHECK(!f->in_process || p->size == 1, ERR_USAGE,
          "--in-process is for one rank, there are %d: start it without mpirun", p->size);
    TRY(collect_hellos(f, p, &mail, &c.hosts, err));
    TRY(coordinator_begin(&c, &work, err));
    if (work)
        TRY(run_attempt(&c, &w, out, err));
    else
        coordinator_outcome(out, &c);
cleanup:
    worker_release(&w);
    transport_release(&mail, MAIL_PATIENCE);
    coordinator_release(&c);
    return rc;
}

enum err_code farm_serve(struct par *p, const char *machine, const struct log *log,
                         struct err *err) {
    enum err_code rc = ERR_OK;
    struct transport mail;
    struct worker w;
    transport_init(&mail, p->silence / 2);
    worker_init(&w, &mail, p);
    TRY(say_hello(&mail, p, machine, err));
    while (!w.released) {
        TRY(read_mail(&mail, &w, NULL, err));
        TRY(worker_tick(&w, err));
        const double silent = w.pause.now - w.last_heard;
        CHECK(silent < (w.met && !w.ended ? p->silence : FIRST_SILENCE), ERR_MPI,
              "rank %d has heard nothing from rank 0 for %.0f s: leaving", p->rank, silent);
        if (!w.released) worker_nap(&w, w.ended ? NAP_MOST : 1.0);
    }
cleanup:
    if (rc != ERR_OK) log_line(log, LOG_ERROR, "%s", err->msg);
    worker_release(&w);
    transport_release(&mail, MAIL_PATIENCE);
    return rc;
}

/* What the others still send here (hellos, signs of life) is small and dies with MPI. */
void farm_release(struct par *p) {
    struct transport mail;
    transport_init(&mail, p->silence / 2);
    if (p->started && p->size > 1) tell_all(&mail, p, MESSAGE_RELEASE);
    transport_release(&mail, MAIL_PATIENCE);
}
