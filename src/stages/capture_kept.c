#include "stages/capture_kept.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ops/vector_ops.h"

const char *const CAPTURE_WHAT[] = {"heads", "attention", "hidden", NULL};

static size_t kept_layers(enum capture_what w, const struct model_dims *d) {
    return w == CAPTURE_HIDDEN ? d->L + 1 : d->L;
}

static size_t kept_width(enum capture_what w, const struct model_dims *d) {
    return w == CAPTURE_HEADS ? model_heads_width(d) : d->E;
}

static bool is_named(const struct config_point *point, enum capture_what w) {
    for (size_t i = 0; i < config_list_size(point, "what"); i++)
        if (strcmp(config_list_text(point, "what", i), CAPTURE_WHAT[w]) == 0) return true;
    return false;
}

enum err_code capture_kept_create(struct capture_kept *k, const struct model_dims *d,
                                  const struct config_point *point, size_t n, size_t each,
                                  bool several, struct err *err) {
    *k = (struct capture_kept){.dims = *d, .several = several, .each = each};
    for (enum capture_what w = 0; w < CAPTURE_WHATS; w++) {
        if (!is_named(point, w)) continue;
        k->of[w] = calloc(n * each * kept_layers(w, d) * kept_width(w, d), sizeof(float));
        if (!k->of[w])
            return ERR(err, ERR_MEMORY, "no memory for '%s' of %zu prompts", CAPTURE_WHAT[w], n);
    }
    return ERR_OK;
}

void capture_kept_destroy(struct capture_kept *k) {
    for (size_t w = 0; w < CAPTURE_WHATS; w++) free(k->of[w]);
    *k = (struct capture_kept){0};
}

size_t capture_kept_numbers(const struct config_point *point, const struct model_dims *d,
                            size_t each) {
    size_t numbers = 0;
    for (enum capture_what w = 0; w < CAPTURE_WHATS; w++)
        if (is_named(point, w)) numbers += kept_layers(w, d) * kept_width(w, d);
    return each * numbers;
}

void capture_kept_put(struct capture_kept *k, const struct query *q, const struct query_rows *rows,
                      size_t first, size_t j) {
    const float *from[CAPTURE_WHATS] = {q->z, q->a, q->x};
    k->found += rows->R;
    for (enum capture_what w = 0; w < CAPTURE_WHATS; w++) {
        const size_t layers = kept_layers(w, &k->dims), width = kept_width(w, &k->dims);
        if (!k->of[w]) continue;
        for (size_t r = 0; r < rows->R; r++) {
            float *to = k->of[w] + ((first + rows->slot[r]) * k->each + j) * layers * width;
            for (size_t l = 0; l < layers; l++)
                memcpy(to + l * width, from[w] + (l * q->capacity + r) * width,
                       width * sizeof(float));
        }
    }
}

double capture_kept_norm(const struct capture_kept *k, enum capture_what w, size_t n, size_t l) {
    const size_t layers = kept_layers(w, &k->dims), width = kept_width(w, &k->dims);
    double sum = 0;
    if (!k->of[w]) return (double)NAN;
    for (size_t i = 0; i < n * k->each; i++)
        sum += vector_norm(k->of[w] + (i * layers + l) * width, width);
    return sum / (double)k->found;
}

/* Heads of a model of token ids are apart, since their widths need not add up to E; those of
 * several tokens are side by side, as a tensor has four dimensions at most. */
static struct job_tensor kept_tensor(const struct capture_kept *k, enum capture_what w, size_t n) {
    const struct model_dims *d = &k->dims;
    const size_t layers = kept_layers(w, d), width = kept_width(w, d);
    const char *name = CAPTURE_WHAT[w];
    if (k->several) return (struct job_tensor){name, 4, {n, k->each, layers, width}, k->of[w]};
    if (w == CAPTURE_HEADS && d->vocabulary > 0)
        return (struct job_tensor){name, 4, {n, layers, d->H, model_head_width(d)}, k->of[w]};
    return (struct job_tensor){name, 3, {n, layers, width}, k->of[w]};
}

enum err_code capture_kept_write(const struct capture_kept *k, struct job_ctx *ctx, size_t n,
                                 struct err *err) {
    enum err_code rc = ERR_OK;
    for (enum capture_what w = 0; w < CAPTURE_WHATS; w++) {
        const struct job_tensor t = kept_tensor(k, w, n);
        if (k->of[w]) TRY(job_tensor(ctx, &t, err));
    }
cleanup:
    return rc;
}
