/*
 * i2cl_prompts.h - whole demonstrations through the query stream, forward and backward: the passes
 * of the method "i2cl".
 *
 * A demonstration is a prompt without shots and its answer. All of its tokens are rows of one query
 * after an empty context, so that edits of scope `all` act on every token.
 */
#ifndef METHODS_I2CL_PROMPTS_H
#define METHODS_I2CL_PROMPTS_H

#include "model/query.h"
#include "model/vocabulary.h"
#include "sources/prompt_view.h"

enum { I2CL_BATCH = 2 }; /* demonstrations of a pass, published */

struct i2cl_prompts {
    const struct params *params;
    const struct prompt_view *view;
    size_t rows; /* of a pass at most */
    struct context nothing;
    struct query query;
    struct vocabulary words;
    uint32_t *slot, *length, *ids, *earlier; /* [rows] */
    uint32_t *at, *wanted;                   /* [rows] of answers: their rows, and what they ask */
    double *weight, *log_prob;               /* [rows] of answers */
    float *x, *dx, *dall;                    /* [rows, E] of answers; gradient of all rows */
    struct arena memory;
};

/* view: must stay; prompts of up to `tokens` + 1 tokens with answers of up to `answer`. ERR_MEMORY.
 */
enum err_code i2cl_prompts_create(struct i2cl_prompts *p, const struct params *params,
                                  const struct prompt_view *view, size_t tokens, size_t answer,
                                  struct err *err);
void i2cl_prompts_destroy(struct i2cl_prompts *p); /* idempotent */
size_t i2cl_prompts_bytes(const struct model_dims *dims, size_t tokens, size_t answer);

/* sum [2 L, E] += the outputs of attention and MLP of every layer at the last token of
 * demonstration i, without edits. */
void i2cl_prompts_add(double *sum, struct i2cl_prompts *p, size_t i);

/* The mean over the n <= I2CL_BATCH demonstrations `which` of the mean cross entropy of the tokens
 * of their answers, under the edits; the visitor sees the gradient at every edited site. */
double i2cl_prompts_loss(struct i2cl_prompts *p, const uint32_t *which, size_t n,
                         const struct edits *edits, const struct query_visitor *visitor);

#endif
