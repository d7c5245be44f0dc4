/* Dispatches jobs: writes START to the journal and sends an ORDER to each rank of the group. */
#include <string.h>

#include "par/coordinator.h"
#include "par/coordinator_faults.h"

/* An injected fault goes to the last rank of the group, so that the others wait for it; a storage
 * fault goes to all ranks, since it affects only the rank that writes a file. */
static enum inject_kind fault_of_rank(const struct coordinator *c, const struct task *t, int i) {
    const enum inject_kind fault = inject_find(&c->inject, false, t->job);
    if (fault_is_coordinators(fault)) return INJECT_NONE;
    return i == t->group - 1 || inject_is_storage(fault) ? fault : INJECT_NONE;
}

static const char NOT_SHARED[HASH_HEX] = "";

/* Contexts that no other job will read are not kept. */
const char *coordinator_contexts(const struct coordinator *c, size_t job, int rank) {
    const bool shared = c->affinity && affinity_holds(c->affinity, job, rank);
    return shared ? c->f->jobs[job].contexts : NOT_SHARED;
}

size_t coordinator_context_bytes(const struct coordinator *c, size_t job) {
    const struct job_cost *cost = &c->f->jobs[job].cost;
    return cost->keeps_contexts ? (size_t)cost->context_bytes : 0;
}

/* The payload of an ORDER for rank i of the group. */
static void write_order(struct text *out, const struct coordinator *c, const struct task *t, int i,
                        const char *order) {
    const struct planned_job *job = &c->f->jobs[t->job];
    struct message_order o = {.group_rank = i,
                              .group_size = t->group,
                              .inject = (int32_t)fault_of_rank(c, t, i),
                              .memory = c->f->memory,
                              .planned = (size_t)job->cost.memory,
                              .context_bytes = coordinator_context_bytes(c, t->job),
                              .hang_after = farm_hang_after(c->f)};
    memcpy(o.contexts, coordinator_contexts(c, t->job, t->ranks[i]), HASH_HEX);
    text_clear(out);
    text_bytes(out, &o, sizeof o);
    text_bytes(out, t->ranks, (size_t)t->group * sizeof *t->ranks);
    text_bytes(out, job->identity, strlen(job->identity) + 1);
    text_bytes(out, c->dir, strlen(c->dir) + 1);
    text_bytes(out, order, strlen(order) + 1);
}

static enum err_code send_orders(struct coordinator *c, const struct task *t, const char *order,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    struct text payload = {0};
    for (int i = 0; i < t->group; i++) {
        write_order(&payload, c, t, i, order);
        TRY(text_check(&payload, err));
        const struct message_head head = {
            .kind = MESSAGE_ORDER, .serial = t->serial, .size = payload.size};
        TRY(transport_send(c->transport, t->ranks[i], TAG_WORKER, &head, payload.data, err));
    }
cleanup:
    text_release(&payload);
    return rc;
}

/* The task of a job with its START line; *order: the text of its order. */
static enum err_code start_job(struct task **out, struct coordinator *c, size_t job, int group,
                               struct text *order, struct err *err) {
    enum err_code rc = ERR_OK;
    struct task *t = coordinator_begin_task(c, job, group, err);
    if (!t) return ERR_MEMORY;
    TRY(c->f->order(order, job, c->f->context, err));
    TRY(text_check(order, err));
    TRY(coordinator_append_start(c, t, err));
    *out = t;
cleanup:
    return rc;
}

enum err_code coordinator_start_in_process(struct coordinator *c, size_t job, struct text *order,
                                           uint64_t *serial, enum inject_kind *fault,
                                           struct err *err) {
    enum err_code rc = ERR_OK;
    struct task *t = NULL;
    TRY(start_job(&t, c, job, 1, order, err));
    TRY(fault_at_job(c, job, err));
    *serial = t->serial;
    *fault = inject_find(&c->inject, false, job);
cleanup:
    return rc;
}

static enum err_code dispatch_job(struct coordinator *c, size_t job, int group, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text order = {0};
    struct task *t = NULL;
    TRY(start_job(&t, c, job, group, &order, err));
    TRY(send_orders(c, t, text_str(&order), err));
    TRY(fault_at_job(c, job, err));
cleanup:
    text_release(&order);
    return rc;
}

enum err_code coordinator_dispatch(struct coordinator *c, struct err *err) {
    enum err_code rc = ERR_OK;
    size_t job;
    int group;
    while (coordinator_next_job(&job, &group, c)) TRY(dispatch_job(c, job, group, err));
cleanup:
    return rc;
}
