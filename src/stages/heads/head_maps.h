/*
 * head_maps.h - the orders of heads that the jobs of `effects`, `head_weights` and
 * `leave_one_out` give, as other jobs read them.
 */
#ifndef STAGES_HEADS_HEAD_MAPS_H
#define STAGES_HEADS_HEAD_MAPS_H

#include "base/rng.h"
#include "job/job.h"
#include "model/dims.h"

/* What heads are ordered by. The first three are those of enum effects_measure, in its order. */
enum head_map_kind {
    HEAD_MAP_PATCHING,
    HEAD_MAP_GRADIENT,
    HEAD_MAP_INDUCTION,
    HEAD_MAP_WEIGHTS,  /* of a fit, without sign */
    HEAD_MAP_CHANGE,   /* of these weights since their beginning, without sign */
    HEAD_MAP_LEFT_OUT, /* of the error of a fit without each head */
    HEAD_MAP_RANDOM
};
extern const char *const HEAD_MAP_NAMES[]; /* in that order, NULL-terminated */

struct head_map {
    enum head_map_kind kind;
    char fit[96];    /* "ltv.heads", of a fit; else "" */
    int64_t repeat;  /* of the fit, or the number of a random order; else 0 */
    double *value;   /* [n] what heads are ordered by; of random orders 0 */
    uint32_t *order; /* [n] heads, the most important first */
};

struct head_maps {
    struct head_map *list;
    size_t n, heads;  /* heads: L H */
    double *values;   /* [n, heads] */
    uint32_t *orders; /* [n, heads] */
};

struct head_maps_options {
    const struct model_dims *dims;
    bool wanted[HEAD_MAP_RANDOM + 1]; /* kinds that are read */
    size_t random;                    /* orders drawn from `stream`, if random ones are wanted */
    const struct rng *stream;
};

/* Those of the inputs of a job, in their order, then the random ones. ERR_DATA for an artifact that
 * is not of this model. */
enum err_code head_maps_read(struct head_maps *out, const struct job_ctx *ctx,
                             const struct head_maps_options *o, struct err *err);
void head_maps_release(struct head_maps *m); /* idempotent */

/* Both are of fits, or of the same kind: the heads of one are no alternative to those of the other.
 */
bool head_maps_alike(const struct head_map *a, const struct head_map *b);

#endif
