/*
 * teacher.h - the states from which a fit without labels gets its goal: those of the model after
 * the shots of a clean prompt that asks the same question.
 *
 * LIVE and its kin fit a vector so that the model under it answers as it does in context: the loss
 * is KL(P_ICL || P_vector) over the next token. The state of a sample is the residual stream after
 * the last block at the query of its teacher prompt; the model's own output turns it into P_ICL
 * (vocabulary_divergence()), so that no distribution over the vocabulary is kept.
 */
#ifndef PASSES_TEACHER_H
#define PASSES_TEACHER_H

#include "passes/fit_data.h"

struct teacher {
    float *states; /* [slots, E] of the samples of this rank's shards, by slot as in fit_data.h */
    size_t E, slots;
};

/* prompts: one for each sample, with up to o->size.teacher tokens before the query. Passes of
 * o->batch samples of a shard. ERR_MEMORY, ERR_STOPPED. ctx: NULL: a single process. */
enum err_code teacher_create(struct teacher *t, const struct fit_data_options *o,
                             const struct prompt_view *prompts, struct job_ctx *ctx,
                             struct err *err);
void teacher_destroy(struct teacher *t); /* idempotent */

/* Bytes of one rank that has `count` shards, while the states are made. */
size_t teacher_bytes(const struct fit_data_options *o, size_t count);

/* out [R, E]: the states in slots [R]. */
void teacher_gather(float *out, const struct teacher *t, const uint32_t *slots, size_t R);

#endif
