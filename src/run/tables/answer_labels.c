#include "run/tables/answer_labels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* *out NULL: there is no such tensor. */
static enum err_code read_tensor(float **out, const struct tensor_info **info,
                                 const struct tensorfile *file, const char *name, struct err *err) {
    const struct tensor_info *t = *info = tensorfile_find(file, name);
    if (!t) return ERR_OK;
    return tensorfile_copy(out, file, t, err);
}

enum err_code answer_labels_read(struct answer_labels *out, const struct tensorfile *file,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    const struct tensor_info *samples, *tokens, *log_prob;
    TRY(read_tensor(&out->samples, &samples, file, "samples", err));
    TRY(read_tensor(&out->tokens, &tokens, file, "labels", err));
    TRY(read_tensor(&out->log_prob, &log_prob, file, "label_log_prob", err));
    if (!log_prob) goto cleanup;
    CHECK(samples && tokens && log_prob->rank == 2 && log_prob->shape[0] == samples->elements &&
              log_prob->shape[1] == tokens->elements,
          ERR_DATA, "label_log_prob is not [samples, labels]");
    out->items = samples->elements;
    out->n = tokens->elements;
cleanup:
    if (rc != ERR_OK) answer_labels_release(out);
    return rc;
}

void answer_labels_release(struct answer_labels *l) {
    free(l->samples);
    free(l->tokens);
    free(l->log_prob);
    *l = (struct answer_labels){0};
}

static bool is_same(const struct answer_labels *a, const struct answer_labels *b) {
    return a->log_prob && b->log_prob && a->items == b->items && a->n == b->n &&
           memcmp(a->samples, b->samples, a->items * sizeof *a->samples) == 0 &&
           memcmp(a->tokens, b->tokens, a->n * sizeof *a->tokens) == 0;
}

bool answer_labels_distance(double *out, const struct answer_labels *of,
                            const struct answer_labels *l, size_t items) {
    const bool same = is_same(of, l) && l->items == items;
    for (size_t i = 0; i < items; i++) out[i] = same ? 0 : (double)NAN;
    for (size_t k = 0; same && k < items * of->n; k++) {
        const double p = (double)of->log_prob[k], q = (double)l->log_prob[k];
        out[k / of->n] += exp(p) * (p - q);
    }
    return same;
}
