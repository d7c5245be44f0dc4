#include "run/digest.h"

#include "base/log.h"
#include "run/command.h"
#include "store/artifact.h"
#include "tensorfile/tensorfile.h"

static void hash_size(struct hash *h, size_t n) {
    const uint64_t value = n;
    hash_bytes(h, &value, sizeof value);
}

static void hash_cell(struct hash *h, const struct job_value *cell) {
    hash_size(h, (size_t)cell->type);
    if (cell->type == JOB_TEXT)
        hash_text(h, cell->as.text);
    else if (cell->type == JOB_INT)
        hash_bytes(h, &cell->as.integer, sizeof cell->as.integer);
    else
        hash_bytes(h, &cell->as.real, sizeof cell->as.real);
}

void digest_rows(struct hash *h, const struct history_job *job) {
    hash_size(h, job->n_rows);
    for (size_t i = 0; i < job->n_rows; i++) {
        hash_size(h, job->rows[i].number);
        hash_size(h, job->rows[i].n);
        for (size_t c = 0; c < job->rows[i].n; c++) hash_cell(h, &job->rows[i].cells[c]);
    }
}

enum err_code digest_tensors(struct hash *h, const char *path, struct err *err) {
    enum err_code rc = ERR_OK;
    struct tensorfile *file = NULL;
    TRY(tensorfile_open(&file, path, err));
    hash_size(h, tensorfile_count(file));
    for (size_t i = 0; i < tensorfile_count(file); i++) {
        const struct tensor_info *t = tensorfile_at(file, i);
        hash_text(h, t->name);
        hash_size(h, (size_t)t->type);
        hash_size(h, t->rank);
        for (size_t d = 0; d < t->rank; d++) hash_size(h, t->shape[d]);
        hash_bytes(h, t->data, t->elements * tensor_type_size(t->type));
    }
cleanup:
    tensorfile_close(file);
    return rc;
}

enum err_code digest_make(char out[HASH_HEX], size_t *left, const struct record *r,
                          struct err *err) {
    enum err_code rc = ERR_OK;
    char path[FILE_PATH_MAX];
    struct hash h;
    hash_begin(&h);
    *left = 0;
    for (size_t j = 0; j < r->plan.n_jobs; j++) {
        const struct history_job *past = r->jobs[j].past;
        const bool done = r->jobs[j].state == QUEUE_DONE;
        hash_text(&h, r->plan.jobs[j].identity);
        hash_text(&h, done ? "done" : "left");
        *left += !done;
        if (!done) continue;
        digest_rows(&h, past);
        if (!past->artifact) continue;
        TRY(artifact_path(path, r->dir, past->identity, err));
        TRY(digest_tensors(&h, path, err));
    }
    hash_end(out, &h);
cleanup:
    return rc;
}

static enum err_code digest_command(struct text *out, int *exit_code, const struct options *o,
                                    char *const *argv, struct err *err) {
    enum err_code rc = ERR_OK;
    struct record r = {0};
    char digest[HASH_HEX];
    size_t left = 0;
    (void)argv;
    TRY(record_open(&r, o->args[0], err));
    TRY(digest_make(digest, &left, &r, err));
    text_add(out, "%s\n", digest);
    if (left > 0) {
        const struct log log = {.level = LOG_WARNING};
        log_line(&log, LOG_WARNING, "%s: %zu of %zu jobs are not done; the digest will change",
                 r.dir, left, r.plan.n_jobs);
        *exit_code = record_exit_code(&r);
    }
cleanup:
    record_release(&r);
    return rc;
}

const struct command COMMAND_DIGEST = {
    .name = "digest",
    .arguments = "DIR",
    .meaning = "one hash of all results: equal bits, equal hash",
    .least_args = 1,
    .most_args = 1,
    .run = digest_command,
};
