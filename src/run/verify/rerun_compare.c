#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "run/verify/rerun.h"
#include "store/artifact.h"
#include "tensorfile/tensorfile.h"

static bool same_cell(const struct job_value *a, const struct job_value *b) {
    if (a->type != b->type) return false;
    if (a->type == JOB_TEXT) return strcmp(a->as.text, b->as.text) == 0;
    if (a->type == JOB_INT) return a->as.integer == b->as.integer;
    return memcmp(&a->as.real, &b->as.real, sizeof a->as.real) == 0 ||
           (a->as.real != a->as.real && b->as.real != b->as.real); /* NaN is "no value" */
}

static void show_cell(char out[96], const struct job_value *cell) {
    if (cell->type == JOB_TEXT)
        (void)snprintf(out, 96, "\"%.80s\"", cell->as.text);
    else if (cell->type == JOB_INT)
        (void)snprintf(out, 96, "%" PRId64, cell->as.integer);
    else
        (void)snprintf(out, 96, "%.17g", cell->as.real);
}

static enum err_code compare_row(const struct history_row *got, const struct history_row *want,
                                 const struct job_columns *columns, struct err *err) {
    const size_t n_got = row_valued_cells(got->cells, got->n),
                 n_want = row_valued_cells(want->cells, want->n);
    for (size_t c = 0; c < n_want && c < n_got; c++) {
        char now[96], before[96];
        if (same_cell(&got->cells[c], &want->cells[c])) continue;
        show_cell(now, &got->cells[c]);
        show_cell(before, &want->cells[c]);
        return ERR(err, ERR_DIFFERS, "row %zu, %s: recomputed %s, recorded %s", want->number,
                   c < columns->n ? columns->list[c].name : "a column", now, before);
    }
    if (n_got != n_want)
        return ERR(err, ERR_DIFFERS, "row %zu: recomputed %zu cells, recorded %zu", want->number,
                   n_got, n_want);
    return ERR_OK;
}

static const struct history_row *find_row(const struct rerun *r, size_t number) {
    for (size_t i = 0; i < r->n_rows; i++)
        if (r->rows[i].number == number) return &r->rows[i];
    return NULL;
}

static enum err_code compare_rows(const struct rerun *r, const struct job_columns *columns,
                                  const struct history_job *past, struct err *err) {
    enum err_code rc = ERR_OK;
    CHECK(r->n_rows == past->n_rows, ERR_DIFFERS, "recomputed %zu rows, recorded %zu", r->n_rows,
          past->n_rows);
    for (size_t i = 0; i < past->n_rows; i++) {
        const struct history_row *got = find_row(r, past->rows[i].number);
        CHECK(got, ERR_DIFFERS, "row %zu was not recomputed", past->rows[i].number);
        TRY(compare_row(got, &past->rows[i], columns, err));
    }
cleanup:
    return rc;
}

static enum err_code compare_tensor(const struct rerun_tensor *got, const struct tensorfile *file,
                                    struct err *err) {
    const struct tensor_info *want = tensorfile_find(file, got->name);
    if (!want || want->type != TENSOR_F32 || want->elements != got->n || want->rank != got->rank ||
        memcmp(want->shape, got->shape, got->rank * sizeof *got->shape) != 0)
        return ERR(err, ERR_DIFFERS, "tensor %s: absent or of another shape in %s", got->name,
                   tensorfile_path(file));
    const unsigned char *bytes = want->data;
    for (size_t i = 0; i < got->n; i++) {
        float then;
        memcpy(&then, bytes + i * sizeof then, sizeof then);
        if (memcmp(&then, &got->data[i], sizeof then) != 0)
            return ERR(err, ERR_DIFFERS, "tensor %s, element %zu: recomputed %.9g, recorded %.9g",
                       got->name, i, (double)got->data[i], (double)then);
    }
    return ERR_OK;
}

static enum err_code check_seal(const char *path, const struct history_job *past, struct err *err) {
    enum err_code rc = ERR_OK;
    char sum[HASH_HEX];
    TRY(hash_file(sum, path, err));
    CHECK(strcmp(sum, past->sha256) == 0, ERR_DIFFERS,
          "%s: its content is not what the journal recorded when the job finished", path);
cleanup:
    return rc;
}

enum err_code rerun_compare(const struct rerun *r, const struct plan *p, size_t job,
                            const struct history_job *past, const char *dir, struct err *err) {
    enum err_code rc = ERR_OK;
    struct tensorfile *file = NULL;
    char path[FILE_PATH_MAX];
    const struct stage *kind = p->stages[p->jobs[job].stage].kind;
    TRY(compare_rows(r, stage_columns(kind, p->jobs[job].point), past, err));
    if (!past->artifact) {
        CHECK(r->n_tensors == 0, ERR_DIFFERS, "recomputed %zu tensors, recorded none",
              r->n_tensors);
        goto cleanup;
    }
    TRY(artifact_path(path, dir, past->identity, err));
    TRY(check_seal(path, past, err));
    TRY(tensorfile_open(&file, path, err));
    CHECK(tensorfile_count(file) == r->n_tensors, ERR_DIFFERS,
          "recomputed %zu tensors, recorded %zu", r->n_tensors, tensorfile_count(file));
    for (size_t i = 0; i < r->n_tensors; i++) TRY(compare_tensor(&r->tensors[i], file, err));
cleanup:
    tensorfile_close(file);
    return rc;
}
