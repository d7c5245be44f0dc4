/*
 * capture_kept.h - the activations that `capture` saves: its key `what`, and arrays of all prompts.
 */
#ifndef STAGES_CAPTURE_KEPT_H
#define STAGES_CAPTURE_KEPT_H

#include <stdbool.h>

#include "config/config.h"
#include "job/job.h"
#include "model/query.h"

enum capture_what { CAPTURE_HEADS, CAPTURE_ATTENTION, CAPTURE_HIDDEN, CAPTURE_WHATS };
extern const char *const CAPTURE_WHAT[]; /* as in a config; NULL ends it */

struct capture_kept {
    struct model_dims dims;
    bool several;             /* tokens of a prompt: tensors have a dimension of them */
    size_t each;              /* tokens of a prompt at most */
    size_t found;             /* tokens of all prompts so far */
    float *of[CAPTURE_WHATS]; /* [n, each, L or L + 1, width of the layer]; NULL: not wanted. Zeros
                                 where a prompt has fewer tokens. */
};

/* For n prompts, what the point names. ERR_MEMORY. */
enum err_code capture_kept_create(struct capture_kept *k, const struct model_dims *dims,
                                  const struct config_point *point, size_t n, size_t each,
                                  bool several, struct err *err);
void capture_kept_destroy(struct capture_kept *k); /* idempotent */
size_t capture_kept_numbers(const struct config_point *point, const struct model_dims *dims,
                            size_t each); /* floats of a prompt */

/* The rows of a query pass are token j of the prompts first + their slots. */
void capture_kept_put(struct capture_kept *k, const struct query *q, const struct query_rows *rows,
                      size_t first, size_t j);

/* Of n prompts: mean over all tokens of the Euclidean norm at layer l; NaN if it is not kept. */
double capture_kept_norm(const struct capture_kept *k, enum capture_what w, size_t n, size_t l);
enum err_code capture_kept_write(const struct capture_kept *k, struct job_ctx *ctx, size_t n,
                                 struct err *err);

#endif
