/*
 * vocabulary.h - answers over a vocabulary: losses, log probabilities and logits of chosen tokens,
 * from rows of the residual stream after the last block.
 *
 * With 50,000 tokens the logits of many rows take more memory than all else of a pass, so they are
 * made in tiles of VOCABULARY_TILE tokens, and no array has a number for each row and token. A
 * fixed set of answers costs its own rows of the output matrix alone.  For all families that embed
 * token ids.
 */
#ifndef MODEL_VOCABULARY_H
#define MODEL_VOCABULARY_H

#include <stdint.h>

#include "model/unembed.h"

enum { VOCABULARY_TILE = 2048 }; /* tokens whose logits are made at a time */

struct vocabulary {
    struct model_dims dims;
    size_t capacity;     /* rows */
    struct unembed last; /* last.norm [capacity, E]: the rows after the final norm */
    float *tile;         /* [capacity, VOCABULARY_TILE] logits; their gradient */
    float *level, *own;  /* [capacity] largest logit so far; logit of the target */
    uint32_t *best;      /* [capacity] token of the largest logit so far, the first of several */
    double *sum;         /* [capacity] sum of exp(logit - level) so far */
    struct arena memory;
};

/* For up to `capacity` rows; for_backward: gradients are wanted. ERR_MEMORY. */
enum err_code vocabulary_create(struct vocabulary *s, const struct model_dims *dims,
                                size_t capacity, bool for_backward, struct err *err);
void vocabulary_destroy(struct vocabulary *s); /* idempotent */
size_t vocabulary_bytes(const struct model_dims *dims, size_t capacity, bool for_backward);

/* log_prob [R] = log p(target[r]) of rows x [R, E]; target[r] < V. */
void vocabulary_log_prob(double *log_prob, struct vocabulary *s, const struct params *p,
                         const float *x, const uint32_t *target, size_t R);

/* Returns weight * the sum of -log p(target[r]), and overwrites dx [R, E] with its gradient.
 * Weight gradients are added to *g; members that are NULL are not wanted. */
double vocabulary_cross_entropy(float *dx, const struct params *g, struct vocabulary *s,
                                const struct params *p, const float *x, const uint32_t *target,
                                double weight, size_t R);

/* After one of these: whether the target of row r had the largest logit, alone or with others. */
bool vocabulary_is_correct(const struct vocabulary *s, size_t r);

/* The same: the token with the largest logit of row r, the first of several. */
uint32_t vocabulary_best(const struct vocabulary *s, size_t r);

/* After vocabulary_log_prob() of the same rows: dx [R, E], overwritten, is the gradient of the sum
 * of -weight[r] log p(target[r]) over the rows; the model's weights get none. */
void vocabulary_weighted_gradient(float *dx, struct vocabulary *s, const struct params *p,
                                  const float *x, const uint32_t *target, const double *weight,
                                  size_t R);

/* Returns the sum over rows of weight[r] KL(p_r || q_r): q of rows x [R, E], p of rows `from` [R,
 * E], whose sums are kept in `teacher`, of the same capacity. dx [R, E], overwritten by the
 * gradient with respect to x, or NULL. */
double vocabulary_divergence(float *dx, struct vocabulary *s, struct vocabulary *teacher,
                             const struct params *p, const float *x, const float *from,
                             const double *weight, size_t R);

/* After vocabulary_log_prob() of R rows: rank [R], the number of tokens with a larger logit than
 * the target of the row; 0: it is the answer of the model. */
void vocabulary_rank(uint32_t *rank, struct vocabulary *s, const struct params *p, size_t R);

/* dx [R, E], overwritten: the gradient of the logit of target[r] with respect to x. Created for the
 * backward pass. */
void vocabulary_logit_gradient(float *dx, struct vocabulary *s, const struct params *p,
                               const float *x, const uint32_t *target, size_t R);

/* out [R, n]: the logits of the tokens ids [n] alone. rows [n, E] is scratch. */
void vocabulary_logits_of(float *out, struct vocabulary *s, const struct params *p, const float *x,
                          const uint32_t *ids, size_t n, float *rows, size_t R);

#endif
