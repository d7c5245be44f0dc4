#include "run/verify/rerun.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/plan/job_message.h"

/* ---- a job host that keeps rows and tensors in memory */

static enum err_code keep_progress(struct job_ctx *ctx, double done, double total,
                                   struct err *err) {
    (void)ctx, (void)done, (void)total, (void)err;
    return ERR_OK;
}

static bool never_stop(struct job_ctx *ctx) {
    (void)ctx;
    return false;
}

static void row_release(struct history_row *row) {
    for (size_t c = 0; c < row->n; c++)
        if (row->cells[c].type == JOB_TEXT) {
            union { /* a cell points to a const text; this copy is owned, so it is freed */
                const char *lent;
                char *own;
            } text = {.lent = row->cells[c].as.text};
            free(text.own);
        }
    free(row->cells);
    *row = (struct history_row){0};
}

static enum err_code row_copy(struct history_row *out, size_t number, const struct job_value *cells,
                              size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    struct history_row row = {.number = number, .cells = calloc(n + 1, sizeof *row.cells)};
    CHECK(row.cells, ERR_MEMORY, "no memory for a row of %zu cells", n);
    for (row.n = 0; row.n < n; row.n++) {
        row.cells[row.n] = cells[row.n];
        if (cells[row.n].type != JOB_TEXT) continue;
        const char *text = cells[row.n].as.text ? cells[row.n].as.text : "";
        row.cells[row.n].as.text = text_copy(text);
        CHECK(row.cells[row.n].as.text, ERR_MEMORY, "no memory for a text of a row");
    }
    *out = row;
cleanup:
    if (rc != ERR_OK) row_release(&row);
    return rc;
}

static enum err_code keep_row(struct job_ctx *ctx, size_t number, const struct job_value *cells,
                              size_t n, struct err *err) {
    enum err_code rc = ERR_OK;
    struct rerun *r = ctx->state;
    struct history_row copy;
    TRY(row_copy(&copy, number, cells, n, err));
    for (size_t i = 0; i < r->n_rows; i++)
        if (r->rows[i].number == number) {
            row_release(&r->rows[i]);
            r->rows[i] = copy;
            return ERR_OK;
        }
    if (r->n_rows == r->rows_capacity) {
        const size_t capacity = r->rows_capacity ? 2 * r->rows_capacity : 64;
        struct history_row *rows = realloc(r->rows, capacity * sizeof *rows);
        if (!rows) row_release(&copy);
        CHECK(rows, ERR_MEMORY, "no memory for %zu rows", capacity);
        r->rows = rows;
        r->rows_capacity = capacity;
    }
    r->rows[r->n_rows++] = copy;
cleanup:
    return rc;
}

static enum err_code keep_tensor(struct job_ctx *ctx, const struct job_tensor *t, struct err *err) {
    struct rerun *r = ctx->state;
    struct rerun_tensor copy = {.rank = t->rank, .n = 1};
    (void)snprintf(copy.name, sizeof copy.name, "%s", t->name);
    for (size_t d = 0; d < t->rank; d++) {
        copy.shape[d] = t->shape[d];
        copy.n *= t->shape[d];
    }
    if (r->n_tensors == r->tensors_capacity) {
        const size_t capacity = r->tensors_capacity ? 2 * r->tensors_capacity : 16;
        struct rerun_tensor *tensors = realloc(r->tensors, capacity * sizeof *tensors);
        if (!tensors) return ERR(err, ERR_MEMORY, "no memory for %zu tensors", capacity);
        r->tensors = tensors;
        r->tensors_capacity = capacity;
    }
    copy.data = malloc((copy.n + 1) * sizeof *copy.data);
    if (!copy.data) return ERR(err, ERR_MEMORY, "no memory for tensor %s", t->name);
    if (copy.n) memcpy(copy.data, t->data, copy.n * sizeof *copy.data);
    r->tensors[r->n_tensors++] = copy;
    return ERR_OK;
}

static enum err_code keep_note(struct job_ctx *ctx, const char *key, const char *value,
                               struct err *err) {
    (void)ctx, (void)key, (void)value, (void)err;
    return ERR_OK;
}

static enum err_code no_checkpoint(struct job_ctx *ctx, const char *state,
                                   const struct job_tensor *tensors, size_t n, struct err *err) {
    (void)ctx, (void)state, (void)tensors, (void)n, (void)err;
    return ERR_OK;
}

static enum err_code no_restore(struct job_ctx *ctx, const char **state,
                                const struct job_tensor **tensors, size_t *n, struct err *err) {
    (void)ctx, (void)err;
    *state = NULL;
    *tensors = NULL;
    *n = 0;
    return ERR_OK;
}

static enum err_code no_send(struct job_ctx *ctx, int to, const void *data, size_t size,
                             struct err *err) {
    (void)ctx, (void)data, (void)size;
    return ERR(err, ERR_BUG, "a job of one rank sends to rank %d", to);
}

static enum err_code no_receive(struct job_ctx *ctx, int from, void *data, size_t size,
                                struct err *err) {
    (void)ctx, (void)data, (void)size;
    return ERR(err, ERR_BUG, "a job of one rank receives from rank %d", from);
}

static enum err_code keep_shards(struct job_ctx *ctx, size_t first, size_t n, struct err *err) {
    (void)ctx, (void)first, (void)n, (void)err;
    return ERR_OK;
}

static const struct job_host HOST = {
    keep_progress, never_stop, keep_row, keep_tensor, keep_note,
    no_checkpoint, no_restore, no_send,  no_receive,  keep_shards,
};

enum err_code rerun_job(struct rerun *out, const struct plan *p, size_t job, const char *dir,
                        size_t memory, struct err *err) {
    enum err_code rc = ERR_OK;
    struct text order = {0};
    struct job_ctx ctx = {.host = &HOST,
                          .state = out,
                          .identity = p->jobs[job].identity,
                          .memory = memory,
                          .group_size = 1};
    *out = (struct rerun){0};
    TRY(job_message_write(&order, p, job, dir, err));
    TRY(job_message_compute(text_str(&order), &ctx, NULL, err));
cleanup:
    text_release(&order);
    if (rc != ERR_OK) rerun_release(out);
    return rc;
}

void rerun_release(struct rerun *r) {
    for (size_t i = 0; i < r->n_rows; i++) row_release(&r->rows[i]);
    for (size_t i = 0; i < r->n_tensors; i++) free(r->tensors[i].data);
    free(r->rows);
    free(r->tensors);
    *r = (struct rerun){0};
}
