/*
 * answer_loss.h - the loss of query rows against the true answers, and its gradient: numbers
 * (prompt_loss.h) or token ids (vocabulary.h).
 *
 * An answer of several tokens is as many adjacent rows (prompt_rows_ask_answer()), and its loss is
 * the mean of their cross entropies. LOSS_DIVERGENCE is taken at the first of them. Fits and
 * choices use this, so that they need not know which kind of answers a source has.
 */
#ifndef PASSES_ANSWER_LOSS_H
#define PASSES_ANSWER_LOSS_H

#include "model/vocabulary.h"
#include "sources/prompt_batch.h"
#include "sources/prompt_loss.h"

struct answer_loss {
    struct prompt_loss loss;
    struct vocabulary vocabulary; /* of token ids */
    struct vocabulary teacher;    /* this and the next two: of LOSS_DIVERGENCE */
    float *taught;                /* [rows, E] set by the caller: the teacher's states */
    float *divergence;            /* [rows, E] its part of the gradient */
    size_t rows;
    float *gradient;           /* [rows], of token ids [rows, E]: what query_backward() takes */
    double *weight, *log_prob; /* [rows] of token ids */
    struct arena memory;
};

/* For passes of at most `rows` rows. ERR_MEMORY. */
enum err_code answer_loss_create(struct answer_loss *a, const struct model_dims *dims,
                                 const struct prompt_loss *loss, size_t rows, struct err *err);
void answer_loss_destroy(struct answer_loss *a); /* idempotent */
size_t answer_loss_bytes(const struct model_dims *dims, const struct prompt_loss *loss,
                         size_t rows);

/* After a pass of the first R rows: weight * the sum over answers of their losses. With `gradient`
 * a->gradient becomes its derivative. */
double answer_loss_sum(struct answer_loss *a, const struct query *q, const struct params *p,
                       const struct prompt_rows *rows, size_t R, double weight, bool gradient);

#endif
