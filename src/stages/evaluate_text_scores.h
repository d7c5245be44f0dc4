/*
 * evaluate_text_scores.h - what an evaluation on text finds out about its items, its row and its
 * tensors.
 */
#ifndef STAGES_EVALUATE_TEXT_SCORES_H
#define STAGES_EVALUATE_TEXT_SCORES_H

#include "job/job.h"
#include "passes/answer_scores.h"
#include "passes/label_scores.h"
#include "sources/source.h"
#include "stages/evaluate_text_rows.h"

struct evaluate_text_scores {
    size_t items, n; /* items at most, and so far: those whose prompts are not too long */
    struct answer_scores answers;
    struct label_scores labels;
    float *scores;       /* [items, ANSWER_SCORE_COUNT] */
    float *samples;      /* [items] sample number of each */
    uint32_t *predicted; /* [rows] most likely tokens of one answer */
};

struct evaluate_text_sizes {
    size_t items, rows; /* rows of a pass at most */
};

/* ERR_MEMORY. */
enum err_code evaluate_text_scores_create(struct evaluate_text_scores *s,
                                          const struct model_dims *dims,
                                          const struct evaluate_text_sizes *sizes, struct err *err);
void evaluate_text_scores_destroy(struct evaluate_text_scores *s); /* idempotent */
double evaluate_text_scores_bytes(const struct model_dims *dims,
                                  const struct evaluate_text_sizes *sizes);

/* After a pass of the first R rows, which ask about the prompts of the last draw, in their order.
 * ERR_MEMORY. */
enum err_code evaluate_text_scores_take(struct evaluate_text_scores *s, const struct source *source,
                                        const struct query *q, const struct params *p,
                                        const struct prompt_rows *rows, size_t R, struct err *err);

/* Fills the means of the row and writes it, then the tensors. ERR_NUMERIC for a loss that is no
 * finite number, ERR_MEMORY, errors of job.h. */
enum err_code evaluate_text_scores_write(struct evaluate_text_scores *s, struct job_ctx *ctx,
                                         struct evaluate_text_row *row, const struct params *p,
                                         struct err *err);

#endif
