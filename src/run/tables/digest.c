#include "run/tables/digest.h"

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
        const size_t n = row_valued_cells(job->rows[i].cells, job->rows[i].n);
        hash_size(h, n);
        for (size_t c = 0; c < n; c++) hash_cell(h, &job->rows[i].cells[c]);
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

enum err_code digest_make(char out[HASH_HEX], size_t *left, const struct run_state *r,
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
