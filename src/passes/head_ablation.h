/*
 * head_ablation.h - how well prompts are answered without some heads: the output of each at the
 * query is replaced by its mean over prompts of the task.
 *
 * As in Yin and Steinhardt, arXiv:2502.14010. Contexts are not ablated. Of text the query is the
 * last token of the prompt; the tokens of an answer after it are read as they are. Prompts are of
 * any source: the loss of text is the mean cross entropy of the answer's tokens, else the error of
 * prompt_loss_error().
 */
#ifndef PASSES_HEAD_ABLATION_H
#define PASSES_HEAD_ABLATION_H

#include "passes/answer_scores.h"
#include "sources/prompt_loss.h"

struct head_ablation_options {
    const struct params *params;
    const float *mean;       /* [L, H D] what replaces heads, side by side */
    struct prompt_loss loss; /* LOSS_CROSS_ENTROPY: prompts of text */
    size_t chunk;            /* prompts of a pass at most: part of what determines the bits */
    size_t tokens, answer;   /* of the longest context and of the longest answer */
    enum context_precision contexts;
};

struct head_ablation {
    struct head_ablation_options o;
    struct prompt_batch batch;
    struct query query;
    struct answer_scores score; /* of text */
    struct edit *items;         /* [L H] */
    float *scores;              /* [chunk, ANSWER_SCORE_COUNT] */
    size_t prompts, rows;       /* of the part that has begun */
};

enum err_code head_ablation_create(struct head_ablation *a, const struct head_ablation_options *o,
                                   struct err *err);
void head_ablation_destroy(struct head_ablation *a); /* idempotent */
size_t head_ablation_bytes(const struct model_dims *dims, const struct head_ablation_options *o);

/* The contexts of up to `chunk` prompts, which are asked at their last point. */
void head_ablation_begin(struct head_ablation *a, const struct prompt_view *part);

struct head_ablation_result { /* of one prompt; the last two of text, else NaN */
    float loss, first_right, right;
};

/* out [prompts of the part]: what they are without heads [n], each l H + h. */
void head_ablation_run(struct head_ablation_result *out, struct head_ablation *a,
                       const uint32_t *heads, size_t n);

#endif
