/*
 * answer_scores.h - how well query rows predict the true answers of prompts of token ids.
 *
 * The answer of a prompt is as many adjacent rows as it has tokens (prompt_rows_ask_answer()), each
 * of which sees the true tokens before it: teacher forcing.
 */
#ifndef PASSES_ANSWER_SCORES_H
#define PASSES_ANSWER_SCORES_H

#include "model/vocabulary.h"
#include "sources/prompt_batch.h"

/* What is known of each prompt, in this order.  first_token is a token id, exact below 2^24. */
#define ANSWER_SCORES(X)                                                                           \
    X(FIRST_LOG_PROB, first_log_prob) /* log p of the first token of the answer */                 \
    X(LOG_PROB, log_prob)             /* of the whole answer: the sum over its tokens */           \
    X(TOKENS, tokens)                 /* of the answer */                                          \
    X(FIRST_RIGHT, first_right) /* 1: the first token is the most likely one, or one of them */    \
    X(RIGHT, right)             /* 1: so is every token of the answer */                           \
    X(RANK, rank)               /* 1 + the number of tokens that are likelier than the first */    \
    X(FIRST_TOKEN, first_token) /* the most likely one instead of the first */                     \
    X(STRIPPED, stripped) /* 1: the most likely tokens read as the answer, blanks at its ends      \
                             aside; the caller's, who has the tokenizer */

enum answer_score {
#define X(name, text) ANSWER_##name,
    ANSWER_SCORES(X)
#undef X
        ANSWER_SCORE_COUNT
};

struct answer_scores {
    size_t rows;
    struct vocabulary vocabulary;
    double *log_prob; /* [rows] */
    uint32_t *rank;   /* [rows] */
    struct arena memory;
};

/* For passes of at most `rows` rows. ERR_MEMORY. */
enum err_code answer_scores_create(struct answer_scores *s, const struct model_dims *dims,
                                   size_t rows, struct err *err);
void answer_scores_destroy(struct answer_scores *s); /* idempotent */
size_t answer_scores_bytes(const struct model_dims *dims, size_t rows);

/* After a pass of the first R rows: a row of out [prompts, ANSWER_SCORE_COUNT] for each prompt, in
 * the order of the rows; ANSWER_STRIPPED is the same as ANSWER_RIGHT. */
void answer_scores_take(float *out, struct answer_scores *s, const struct query *q,
                        const struct params *p, const struct prompt_rows *rows, size_t R);

#endif
