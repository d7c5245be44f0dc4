#include "twins/host_twin.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TENSORS = 512, NOTES = 32, ROWS = 4096, CELLS = 32 };

struct message {
    struct message *next;
    int from, to;
    size_t size;
    char data[];
};

struct row {
    size_t n;
    struct job_value cells[CELLS];
};

struct tensor_store { /* tensors and their storage */
    struct job_tensor items[TENSORS];
    char names[TENSORS][JOB_TENSOR_NAME];
    size_t n;
};

struct host_twin {
    int ranks;
    struct job_ctx ctx[HOST_TWIN_RANKS];
    struct row rows[ROWS];
    size_t n_rows;
    struct tensor_store tensors, saved;
    char *note_keys[NOTES], *note_values[NOTES], *state;
    size_t n_notes, checkpoints, answers, stop_after;
    double reports[HOST_TWIN_REPORTS]; /* of progress */
    size_t n_reports;
    size_t shards[HOST_TWIN_RANKS], told[HOST_TWIN_RANKS];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct message *messages;
    bool failed; /* a rank has failed: the others stop waiting for messages */
};

static char *copy_text(const char *s) {
    size_t size = strlen(s) + 1;
    char *copy = malloc(size);
    if (!copy) abort();
    memcpy(copy, s, size);
    return copy;
}

static size_t elements(const struct job_tensor *t) {
    size_t n = 1;
    for (size_t i = 0; i < t->rank; i++) n *= t->shape[i];
    return n;
}

static void tensor_store_clear(struct tensor_store *k) {
    for (size_t i = 0; i < k->n; i++) free((void *)(uintptr_t)k->items[i].data);
    k->n = 0;
}

static void tensor_store_add(struct tensor_store *k, const struct job_tensor *t) {
    float *data = malloc(elements(t) * sizeof *data + 1);
    if (!data || k->n == TENSORS) abort();
    memcpy(data, t->data, elements(t) * sizeof *data);
    (void)snprintf(k->names[k->n], JOB_TENSOR_NAME, "%s", t->name);
    k->items[k->n] = *t;
    k->items[k->n].name = k->names[k->n];
    k->items[k->n++].data = data;
}

static void row_clear(struct row *r) {
    for (size_t i = 0; i < r->n; i++)
        if (r->cells[i].type == JOB_TEXT) free((void *)(uintptr_t)r->cells[i].as.text);
    r->n = 0;
}

static void drop_results(struct host_twin *h) {
    for (size_t i = 0; i < ROWS; i++) row_clear(&h->rows[i]);
    for (size_t i = 0; i < h->n_notes; i++) {
        free(h->note_keys[i]);
        free(h->note_values[i]);
    }
    tensor_store_clear(&h->tensors);
    h->n_rows = h->n_notes = h->answers = 0;
    h->failed = false;
    while (h->messages) {
        struct message *next = h->messages->next;
        free(h->messages);
        h->messages = next;
    }
    for (int i = 0; i < h->ranks; i++) {
        h->told[i] = 0;
        h->ctx[i].shards_told = false;
    }
}

/* ---- the verbs */

static enum err_code twin_progress(struct job_ctx *ctx, double done, double total,
                                   struct err *err) {
    struct host_twin *h = ctx->state;
    if (done < 0 || done > total) return ERR(err, ERR_BUG, "progress %g of %g", done, total);
    if (ctx->group_rank == 0 && h->n_reports < HOST_TWIN_REPORTS)
        h->reports[h->n_reports++] = total > 0 ? done / total : 0;
    return ERR_OK;
}

static bool twin_should_stop(struct job_ctx *ctx) {
    struct host_twin *h = ctx->state;
    return ctx->group_rank == 0 && h->answers++ >= h->stop_after;
}

static enum err_code twin_row(struct job_ctx *ctx, size_t number, const struct job_value *cells,
                              size_t n, struct err *err) {
    struct host_twin *h = ctx->state;
    if (number >= ROWS || n > CELLS) return ERR(err, ERR_BUG, "row %zu of %zu cells", number, n);
    struct row *r = &h->rows[number];
    row_clear(r);
    memcpy(r->cells, cells, n * sizeof *cells);
    for (size_t i = 0; i < n; i++)
        if (cells[i].type == JOB_TEXT) r->cells[i].as.text = copy_text(cells[i].as.text);
    r->n = n;
    if (number >= h->n_rows) h->n_rows = number + 1;
    return ERR_OK;
}

static enum err_code twin_tensor(struct job_ctx *ctx, const struct job_tensor *t, struct err *err) {
    struct host_twin *h = ctx->state;
    (void)err;
    tensor_store_add(&h->tensors, t);
    return ERR_OK;
}

static enum err_code twin_note(struct job_ctx *ctx, const char *key, const char *value,
                               struct err *err) {
    struct host_twin *h = ctx->state;
    if (h->n_notes == NOTES) return ERR(err, ERR_BUG, "too many notes");
    h->note_keys[h->n_notes] = copy_text(key);
    h->note_values[h->n_notes++] = copy_text(value);
    return ERR_OK;
}

static enum err_code twin_checkpoint(struct job_ctx *ctx, const char *state,
                                     const struct job_tensor *tensors, size_t n, struct err *err) {
    struct host_twin *h = ctx->state;
    (void)err;
    tensor_store_clear(&h->saved);
    for (size_t i = 0; i < n; i++) tensor_store_add(&h->saved, &tensors[i]);
    free(h->state);
    h->state = copy_text(state);
    h->checkpoints++;
    return ERR_OK;
}

static enum err_code twin_restore(struct job_ctx *ctx, const char **state,
                                  const struct job_tensor **tensors, size_t *n, struct err *err) {
    struct host_twin *h = ctx->state;
    (void)err;
    *state = h->state;
    *tensors = h->saved.items;
    *n = h->saved.n;
    return ERR_OK;
}

static enum err_code twin_send(struct job_ctx *ctx, int to, const void *data, size_t size,
                               struct err *err) {
    struct host_twin *h = ctx->state;
    struct message *m = malloc(sizeof *m + size), **end;
    if (!m) return ERR(err, ERR_MEMORY, "no memory for a message");
    *m = (struct message){.from = ctx->group_rank, .to = to, .size = size};
    memcpy(m->data, data, size);
    (void)pthread_mutex_lock(&h->lock);
    for (end = &h->messages; *end;) end = &(*end)->next;
    *end = m;
    (void)pthread_cond_broadcast(&h->changed);
    (void)pthread_mutex_unlock(&h->lock);
    return ERR_OK;
}

static struct message *take_message(struct host_twin *h, int from, int to) {
    for (struct message **at = &h->messages; *at; at = &(*at)->next)
        if ((*at)->from == from && (*at)->to == to) {
            struct message *m = *at;
            *at = m->next;
            return m;
        }
    return NULL;
}

static enum err_code twin_receive(struct job_ctx *ctx, int from, void *data, size_t size,
                                  struct err *err) {
    struct host_twin *h = ctx->state;
    struct message *m;
    (void)pthread_mutex_lock(&h->lock);
    while (!(m = take_message(h, from, ctx->group_rank)) && !h->failed)
        (void)pthread_cond_wait(&h->changed, &h->lock);
    (void)pthread_mutex_unlock(&h->lock);
    if (!m) return ERR(err, ERR_SYSTEM, "another rank of the group has failed");
    size_t found = m->size;
    if (found == size) memcpy(data, m->data, size);
    free(m);
    return found == size ? ERR_OK : ERR(err, ERR_BUG, "%zu bytes for %zu", found, size);
}

static enum err_code twin_shards(struct job_ctx *ctx, size_t first, size_t n, struct err *err) {
    struct host_twin *h = ctx->state;
    (void)first, (void)err;
    h->shards[ctx->group_rank] = n;
    h->told[ctx->group_rank]++;
    return ERR_OK;
}

static const struct job_host HOST = {
    .progress = twin_progress,
    .should_stop = twin_should_stop,
    .row = twin_row,
    .tensor = twin_tensor,
    .note = twin_note,
    .checkpoint = twin_checkpoint,
    .restore = twin_restore,
    .send = twin_send,
    .receive = twin_receive,
    .shards = twin_shards,
};

size_t host_twin_progress(const double **out, const struct host_twin *h) {
    *out = h->reports;
    return h->n_reports;
}

/* ---- create, run, destroy */

struct host_twin *host_twin_create(int ranks) {
    struct host_twin *h = calloc(1, sizeof *h);
    if (!h || ranks < 1 || ranks > HOST_TWIN_RANKS) abort();
    h->ranks = ranks;
    h->stop_after = SIZE_MAX;
    if (pthread_mutex_init(&h->lock, NULL) != 0 || pthread_cond_init(&h->changed, NULL) != 0)
        abort();
    for (int i = 0; i < ranks; i++)
        h->ctx[i] = (struct job_ctx){.host = &HOST,
                                     .state = h,
                                     .identity = "0",
                                     .memory = SIZE_MAX,
                                     .group_rank = i,
                                     .group_size = ranks};
    return h;
}

void host_twin_destroy(struct host_twin *h) {
    if (!h) return;
    drop_results(h);
    tensor_store_clear(&h->saved);
    free(h->state);
    (void)pthread_mutex_destroy(&h->lock);
    (void)pthread_cond_destroy(&h->changed);
    free(h);
}

struct job_ctx *host_twin_ctx(struct host_twin *h, int rank) {
    return &h->ctx[rank];
}

void host_twin_stop_after(struct host_twin *h, size_t answers) { h->stop_after = answers; }

struct rank_thread {
    pthread_t thread;
    struct job_ctx *ctx;
    host_twin_work work;
    void *context;
    enum err_code rc;
    struct err err;
};

static void *run_rank(void *argument) {
    struct rank_thread *t = argument;
    struct host_twin *h = t->ctx->state;
    t->rc = t->work(t->ctx, t->context, &t->err);
    if (t->rc != ERR_OK) {
        (void)pthread_mutex_lock(&h->lock);
        h->failed = true;
        (void)pthread_cond_broadcast(&h->changed);
        (void)pthread_mutex_unlock(&h->lock);
    }
    return NULL;
}

enum err_code host_twin_run(struct host_twin *h, host_twin_work work, void *context,
                            struct err *err) {
    struct rank_thread t[HOST_TWIN_RANKS];
    const struct rank_thread *worst = NULL;
    drop_results(h);
    h->n_reports = 0;
    for (int i = 0; i < h->ranks; i++) {
        t[i] = (struct rank_thread){.ctx = &h->ctx[i], .work = work, .context = context};
        if (pthread_create(&t[i].thread, NULL, run_rank, &t[i]) != 0) abort();
    }
    for (int i = 0; i < h->ranks; i++) (void)pthread_join(t[i].thread, NULL);
    for (int i = 0; i < h->ranks; i++)
        if (t[i].rc != ERR_OK && (!worst || worst->rc == ERR_SYSTEM)) worst = &t[i];
    if (!worst) return ERR_OK;
    *err = worst->err;
    return worst->rc;
}

/* ---- what the job reported */

size_t host_twin_rows(const struct host_twin *h) { return h->n_rows; }

const struct job_value *host_twin_row(const struct host_twin *h, size_t number, size_t *n) {
    if (number >= h->n_rows) return NULL;
    *n = h->rows[number].n;
    return h->rows[number].cells;
}

const struct job_tensor *host_twin_tensor(const struct host_twin *h, const char *name) {
    for (size_t i = 0; i < h->tensors.n; i++)
        if (strcmp(h->tensors.items[i].name, name) == 0) return &h->tensors.items[i];
    return NULL;
}

size_t host_twin_tensors(const struct host_twin *h) { return h->tensors.n; }

const struct job_tensor *host_twin_tensor_at(const struct host_twin *h, size_t i) {
    return &h->tensors.items[i];
}

size_t host_twin_notes(const struct host_twin *h) { return h->n_notes; }

void host_twin_note_at(const struct host_twin *h, size_t i, const char **key, const char **value) {
    *key = h->note_keys[i];
    *value = h->note_values[i];
}

const char *host_twin_note(const struct host_twin *h, const char *key) {
    for (size_t i = 0; i < h->n_notes; i++)
        if (strcmp(h->note_keys[i], key) == 0) return h->note_values[i];
    return NULL;
}

size_t host_twin_checkpoints(const struct host_twin *h) { return h->checkpoints; }
size_t host_twin_shards(const struct host_twin *h, int rank) { return h->shards[rank]; }
size_t host_twin_shards_told(const struct host_twin *h, int rank) { return h->told[rank]; }

static bool same_value(const struct job_value *a, const struct job_value *b) {
    if (a->type != b->type) return false;
    if (a->type == JOB_TEXT) return strcmp(a->as.text, b->as.text) == 0;
    if (a->type == JOB_INT) return a->as.integer == b->as.integer;
    return memcmp(&a->as.real, &b->as.real, sizeof a->as.real) == 0;
}

static bool same_row(const struct row *a, const struct row *b) {
    if (a->n != b->n) return false;
    for (size_t i = 0; i < a->n; i++)
        if (!same_value(&a->cells[i], &b->cells[i])) return false;
    return true;
}

static bool same_tensor(const struct job_tensor *a, const struct job_tensor *b) {
    return strcmp(a->name, b->name) == 0 && elements(a) == elements(b) &&
           memcmp(a->data, b->data, elements(a) * sizeof *a->data) == 0;
}

bool host_twin_same(const struct host_twin *a, const struct host_twin *b) {
    if (a->n_rows != b->n_rows || a->tensors.n != b->tensors.n) return false;
    for (size_t i = 0; i < a->n_rows; i++)
        if (!same_row(&a->rows[i], &b->rows[i])) {
            (void)fprintf(stderr, "row %zu differs\n", i);
            return false;
        }
    for (size_t i = 0; i < a->tensors.n; i++)
        if (!same_tensor(&a->tensors.items[i], &b->tensors.items[i])) {
            (void)fprintf(stderr, "tensor '%s' differs\n", a->tensors.items[i].name);
            return false;
        }
    return true;
}
