/*
 * label_scores.h - how likely each of the answers of a task is as the next token of each prompt:
 * log probabilities over the first tokens of the true answers of all prompts, the labels.
 *
 * The distance of two such distributions of the same prompts, under a method and under the plain
 * model with examples, is d_NTP of Kwon et al. (arXiv 2605.20730), who take the softmax over the
 * label tokens alone.
 */
#ifndef PASSES_LABEL_SCORES_H
#define PASSES_LABEL_SCORES_H

#include "model/vocabulary.h"
#include "sources/prompt_batch.h"

struct label_scores {
    size_t most, n, E; /* prompts at most, and so far */
    float *x;          /* [most, E] residual stream of each query after the last block */
    uint32_t *first;   /* [most] first token of its true answer */
    uint32_t *labels;  /* [n_labels] these tokens, each once, in ascending order */
    size_t n_labels;   /* 0 until label_scores_make() */
    float *log_prob;   /* [n, n_labels]; NULL until then */
};

/* For at most `most` prompts. ERR_MEMORY. */
enum err_code label_scores_create(struct label_scores *s, const struct model_dims *dims,
                                  size_t most, struct err *err);
void label_scores_destroy(struct label_scores *s); /* idempotent */
size_t label_scores_bytes(const struct model_dims *dims, size_t most);

/* After a pass of the first R rows (prompt_rows_ask_answer()): appends its prompts. */
void label_scores_take(struct label_scores *s, const struct query *q,
                       const struct prompt_rows *rows, size_t R);

/* After the last pass, once: s->labels and s->log_prob. v: of the model, whose capacity decides how
 * many prompts are multiplied at a time. ERR_MEMORY. */
enum err_code label_scores_make(struct label_scores *s, struct vocabulary *v,
                                const struct params *p, struct err *err);

#endif
