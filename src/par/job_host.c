#include "par/job_host.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "journal/event.h"
#include "store/artifact.h"

static const double PROGRESS_EVERY = 0.05; /* seconds */

struct host {
    const struct job_host_order *order;
    const struct job_host_link *link;
    struct job_tensor *tensors; /* owned, names and data too */
    struct artifact_note *notes;
    size_t n_tensors, n_notes;
    struct text rows,
        line;      /* all rows as journal lines, for the checkpoint; the line being built */
    size_t n_rows; /* 1 + the highest number */
    double done, total, last_progress, began;
    double began_cpu; /* clock_cpu() */
    bool resumed;     /* from a checkpoint */
    struct checkpoint_hold *hold;
};

static struct host *host_of(struct job_ctx *ctx) { return ctx->state; }

static enum err_code post(struct host *h, enum message_kind kind, double a, double b,
                          const void *payload, size_t size, struct err *err) {
    const struct message_head head = {.kind = kind,
                                      .serial = h->order->serial,
                                      .from = h->order->group_rank,
                                      .a = a,
                                      .b = b,
                                      .size = size};
    return h->link->post(h->link->self, &head, payload, err);
}

/* ---------------------------------------------------------------- the interface of a job */

/* The error that an injected NaN causes at the next progress, or at the end. */
static enum err_code poisoned(const struct host *h, struct err *err) {
    if (h->order->inject != INJECT_NAN) return ERR_OK;
    return ERR(err, ERR_NUMERIC, "injected: a value that is not a finite number");
}

static enum err_code verb_progress(struct job_ctx *ctx, double done, double total,
                                   struct err *err) {
    struct host *h = host_of(ctx);
    const double now = clock_now();
    h->done = done;
    h->total = total;
    if (h->order->inject == INJECT_NAN) return poisoned(h, err);
    if (now - h->last_progress < PROGRESS_EVERY) return ERR_OK;
    h->last_progress = now;
    return post(h, MESSAGE_PROGRESS, done, total, NULL, 0, err);
}

static bool verb_should_stop(struct job_ctx *ctx) {
    const struct host *h = host_of(ctx);
    return h->link->stopping(h->link->self);
}

static enum err_code verb_row(struct job_ctx *ctx, size_t number, const struct job_value *cells,
                              size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    struct host *h = host_of(ctx);
    event_begin(&h->line, EVENT_ROW);
    event_text(&h->line, "job", h->order->identity);
    event_integer(&h->line, "number", (int64_t)number);
    for (size_t i = 0; i < n; i++) event_cell(&h->line, &cells[i]);
    event_end(&h->line);
    text_bytes(&h->rows, h->line.data, h->line.size);
    TRY(text_check(&h->line, err));
    TRY(text_check(&h->rows, err));
    if (number + 1 > h->n_rows) h->n_rows = number + 1;
    TRY(post(h, MESSAGE_LINES, 0, 0, h->line.data, h->line.size, err));
cleanup:
    return rc;
}

static enum err_code copy_tensor(struct job_tensor *out, const struct job_tensor *t,
                                 struct err *err) {
    size_t elements = 1;
    for (size_t i = 0; i < t->rank; i++) elements *= t->shape[i];
    float *data = malloc(elements ? elements * sizeof *data : 1);
    char *name = text_copy(t->name);
    if (!data || !name) {
        free(data);
        free(name);
        return ERR(err, ERR_MEMORY, "no memory for the result \"%s\" of %zu numbers", t->name,
                   elements);
    }
    if (elements > 0) memcpy(data, t->data, elements * sizeof *data);
    *out = *t;
    out->name = name;
    out->data = data;
    return ERR_OK;
}

static enum err_code verb_tensor(struct job_ctx *ctx, const struct job_tensor *t, struct err *err) {
    enum err_code rc = ERR_OK;
    struct host *h = host_of(ctx);
    struct job_tensor *more = realloc(h->tensors, (h->n_tensors + 1) * sizeof *more);
    CHECK(more, ERR_MEMORY, "no memory for the result \"%s\"", t->name);
    h->tensors = more;
    TRY(copy_tensor(&more[h->n_tensors], t, err));
    h->n_tensors++;
cleanup:
    return rc;
}

static enum err_code verb_note(struct job_ctx *ctx, const char *key, const char *value,
                               struct err *err) {
    enum err_code rc = ERR_OK;
    struct host *h = host_of(ctx);
    char *a = text_copy(key), *b = text_copy(value);
    struct artifact_note *more = realloc(h->notes, (h->n_notes + 1) * sizeof *more);
    if (more) h->notes = more;
    CHECK(a && b && more, ERR_MEMORY, "no memory for the note \"%s\"", key);
    more[h->n_notes++] = (struct artifact_note){a, b};
    return ERR_OK;
cleanup:
    free(a);
    free(b);
    return rc;
}

static enum err_code verb_checkpoint(struct job_ctx *ctx, const char *state,
                                     const struct job_tensor *tensors, size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    struct host *h = host_of(ctx);
    const struct checkpoint c = {.state = state,
                                 .rows = text_str(&h->rows),
                                 .n_rows = h->n_rows,
                                 .done = h->done,
                                 .total = h->total,
                                 .tensors = tensors,
                                 .n_tensors = n};
    char path[FILE_PATH_MAX];
    const struct disk disk = inject_disk(h->order->inject);
    TRY(checkpoint_path(path, h->order->dir, h->order->identity, err));
    TRY(disk_file(&disk, path, err));
    TRY(checkpoint_write(h->order->dir, h->order->identity, &c, err));
    TRY(post(h, MESSAGE_CHECKPOINT, h->done, h->total, NULL, 0, err));
cleanup:
    return rc;
}

/* A damaged checkpoint is deleted and the job begins from its first step. All ranks of a group read
 * the same file, so all of them begin from there. */
static enum err_code read_checkpoint(struct checkpoint *out, struct host *h, struct err *err) {
    struct err why = {0};
    const struct job_host_order *o = h->order;
    const enum err_code rc = checkpoint_read(out, &h->hold, o->dir, o->identity, &why);
    if (rc == ERR_DATA) {
        log_line(&(struct log){.level = LOG_WARNING}, LOG_WARNING,
                 "%s: the job begins again from its first step", why.msg);
        checkpoint_remove(o->dir, o->identity);
        return ERR_OK;
    }
    if (rc != ERR_OK && err) *err = why;
    return rc;
}

/* Rows from before the checkpoint may never have reached the journal: they are sent again. A row
 * that is journaled twice counts once. */
static enum err_code verb_restore(struct job_ctx *ctx, const char **state,
                                  const struct job_tensor **tensors, size_t *n, struct err *err) {
    enum err_code rc = ERR_OK;
    struct host *h = host_of(ctx);
    struct checkpoint c;
    checkpoint_close(h->hold);
    h->hold = NULL;
    TRY(read_checkpoint(&c, h, err));
    *state = c.state;
    *tensors = c.tensors;
    *n = c.n_tensors;
    h->resumed = c.state != NULL;
    if (!c.state || ctx->group_rank != 0) return ERR_OK;
    h->n_rows = c.n_rows;
    text_clear(&h->rows);
    text_bytes(&h->rows, c.rows, strlen(c.rows));
    TRY(text_check(&h->rows, err));
    if (h->rows.size > 0) TRY(post(h, MESSAGE_LINES, 0, 0, h->rows.data, h->rows.size, err));
cleanup:
    return rc;
}

static enum err_code verb_send(struct job_ctx *ctx, int to, const void *data, size_t size,
                               struct err *err) {
    struct host *h = host_of(ctx);
    const struct message_head head = {.kind = MESSAGE_GROUP,
                                      .serial = h->order->serial,
                                      .from = ctx->group_rank,
                                      .to = to,
                                      .size = size};
    return h->link->post(h->link->self, &head, data, err);
}

static enum err_code verb_receive(struct job_ctx *ctx, int from, void *data, size_t size,
                                  struct err *err) {
    const struct host *h = host_of(ctx);
    return h->link->receive(h->link->self, from, data, size, err);
}

static enum err_code verb_shards(struct job_ctx *ctx, size_t first, size_t n, struct err *err) {
    return post(host_of(ctx), MESSAGE_SHARDS, (double)first, (double)n, NULL, 0, err);
}

static const struct job_host VERBS = {
    .progress = verb_progress,
    .should_stop = verb_should_stop,
    .row = verb_row,
    .tensor = verb_tensor,
    .note = verb_note,
    .checkpoint = verb_checkpoint,
    .restore = verb_restore,
    .send = verb_send,
    .receive = verb_receive,
    .shards = verb_shards,
};

/* ---------------------------------------------------------------- the end of a job */

/* Writes the artifact, if the job left tensors or notes; *out: what DONE reports. */
static enum err_code write_artifact(struct message_done *out, const struct host *h,
                                    struct err *err) {
    enum err_code rc = ERR_OK;
    struct artifact_seal s = {0};
    char path[FILE_PATH_MAX];
    const struct disk disk = inject_disk(h->order->inject);
    *out = (struct message_done){.rows = h->n_rows};
    if (!h->resumed && h->total > 0.0) out->share = h->done / h->total;
    if (h->n_tensors + h->n_notes == 0) return ERR_OK;
    TRY(artifact_path(path, h->order->dir, h->order->identity, err));
    TRY(disk_file(&disk, path, err));
    TRY(artifact_write(&s, h->order->dir, h->order->identity, h->tensors, h->n_tensors, h->notes,
                       h->n_notes, err));
    if (h->order->inject == INJECT_TORN_ARTIFACT) inject_tear(path);
    out->artifact = 1;
    out->bytes = s.bytes;
    memcpy(out->sha256, s.sha256, sizeof out->sha256);
cleanup:
    return rc;
}

/* System errors end the attempt and leave the job pending, and so do bugs of the program: it exits
 * with 70. All others fail the job. */
static bool is_fatal(enum err_code code) {
    return code == ERR_IO || code == ERR_SYSTEM || code == ERR_MPI || code == ERR_BUG;
}

static enum failure failure_of(enum err_code code) {
    if (code == ERR_NUMERIC) return FAILURE_NAN;
    return code == ERR_MEMORY ? FAILURE_OOM : FAILURE_ERROR;
}

static enum err_code post_end(struct host *h, enum err_code code, const struct err *why,
                              const struct message_done *done, struct err *err) {
    if (code == ERR_OK)
        return post(h, MESSAGE_DONE, clock_now() - h->began, 0, done, sizeof *done, err);
    if (code == ERR_STOPPED) return post(h, MESSAGE_STOPPED, 0, 0, NULL, 0, err);
    const struct message_head head = {
        .kind = is_fatal(code) ? MESSAGE_FATAL : MESSAGE_FAILED,
        .code = is_fatal(code) ? (int32_t)code : (int32_t)failure_of(code),
        .from = h->order->group_rank,
        .serial = h->order->serial,
        .size = strlen(why->msg),
    };
    return h->link->post(h->link->self, &head, why->msg, err);
}

static void release(struct host *h) {
    for (size_t i = 0; i < h->n_tensors; i++) {
        free((void *)(uintptr_t)h->tensors[i].name);
        free((void *)(uintptr_t)h->tensors[i].data);
    }
    for (size_t i = 0; i < h->n_notes; i++) {
        free((void *)(uintptr_t)h->notes[i].key);
        free((void *)(uintptr_t)h->notes[i].value);
    }
    free(h->tensors);
    free(h->notes);
    text_release(&h->rows);
    text_release(&h->line);
    checkpoint_close(h->hold);
}

static enum err_code trigger_fault(const struct host *h, struct err *err) {
    if (h->order->inject == INJECT_NAN) return ERR_OK; /* see poisoned() */
    inject_trigger(h->order->inject);
    if (h->order->inject != INJECT_OOM) return ERR_OK;
    return ERR(err, ERR_MEMORY, "injected: this job ran out of memory after %zu MiB",
               inject_exhaust() >> 20);
}

/* ---------------------------------------------------------------- contexts of earlier jobs */

/* What the job leaves of the budget: of its planned peak only the contexts may lie in the cache. A
 * job that does not fit its budget leaves nothing. */
static size_t room_of_cache(const struct job_host_order *o) {
    const size_t shared = o->contexts[0] ? o->context_bytes : 0;
    if (o->planned > o->memory) return 0;
    return o->memory - (o->planned > shared ? o->planned - shared : 0);
}

static void begin_sharing(struct job_ctx *ctx, const struct job_host_order *o) {
    if (!o->cache) return;
    context_cache_begin(o->cache, o->contexts, room_of_cache(o));
    ctx->contexts = o->contexts[0] ? o->cache : NULL;
}

static void end_sharing(struct message_done *done, const struct job_host_order *o) {
    if (!o->cache) return;
    const struct context_counts n = context_cache_counts(o->cache);
    done->contexts_found = n.found;
    done->contexts_made = n.made;
    context_cache_end(o->cache);
}

enum err_code job_host_compute(const struct job_host_order *order, const struct job_host_link *link,
                               farm_compute *compute, void *context, struct err *err) {
    enum err_code rc = ERR_OK;
    struct err why = {0};
    struct message_done done = {0};
    struct host h = {.order = order, .link = link, .began = clock_now(), .began_cpu = clock_cpu()};
    struct job_ctx ctx = {.host = &VERBS,
                          .state = &h,
                          .identity = order->identity,
                          .memory = order->memory,
                          .group_rank = order->group_rank,
                          .group_size = order->group_size};
    begin_sharing(&ctx, order);
    TRY(trigger_fault(&h, &why));
    TRY(compute(order->text, &ctx, context, &why));
    TRY(poisoned(&h, &why));
    TRY(write_artifact(&done, &h, &why));
cleanup:
    end_sharing(&done, order);
    done.cpu = clock_cpu() - h.began_cpu;
    rc = post_end(&h, rc, &why, &done, err);
    release(&h);
    return rc;
}
