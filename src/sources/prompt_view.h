/*
 * prompt_view.h - prompts as plain arrays: what sources draw, and what stages, passes and methods
 * read.
 *
 * A prompt has points k = 0, 1, ... . The query at point k comes after the k pairs (x, y) of the
 * points before it. Views own nothing: they stay valid as long as the arrays they point to.
 */
#ifndef SOURCES_PROMPT_VIEW_H
#define SOURCES_PROMPT_VIEW_H

#include <stddef.h>
#include <stdint.h>

#define PROMPT_NO_TARGET UINT32_MAX

/* Prompts of token ids, one after the other: prompt i is ids[first[i]] .. ids[first[i + 1] - 1]. */
struct prompt_text {
    const uint32_t *ids;        /* the last token of a prompt is its query, after which the answer
                                   would follow; NULL: prompts are of numbers */
    const size_t *first;        /* [n + 1] */
    const uint32_t *answers;    /* the true answers, prompt after prompt */
    const size_t *answer_first; /* [n + 1] */
    const uint32_t *next; /* as ids: the token that follows where it belongs to a shown answer,
                             else PROMPT_NO_TARGET: what pretraining predicts. NULL unless
                             source_options.next is set */
    /* The same queries without shots, as ids and first; of basis prompts whose reader wants them.
     */
    const uint32_t *alone_ids;
    const size_t *alone_first;
};

struct prompt_view {
    size_t n, points, dims;
    const float *x; /* [n, points, dims] */
    const float *y; /* [n, points] */
    /* For prompts whose queries are not the points that the context shows (shifted covariates), and
     * for prompts whose labels change with the number of pairs shown (shuffled labels): */
    const float *query_x;    /* [n, points, dims] what is asked after k pairs; NULL: x */
    const float *query_y;    /* [n, points] its true answer; NULL: y */
    const float *shown_y;    /* [n, points, points] row k: the labels of the k pairs; NULL: y */
    struct prompt_text text; /* instead of the arrays above; dims is 0 */
};

/* Prompts first .. first + n - 1. */
static inline struct prompt_view prompt_view_part(const struct prompt_view *p, size_t first,
                                                  size_t n) {
    struct prompt_view part = *p;
    part.n = n;
    if (p->text.ids) {
        part.text.first += first; /* what first and answer_first contain stays absolute */
        part.text.answer_first += first;
        if (p->text.alone_first) part.text.alone_first += first;
        return part;
    }
    part.x += first * p->points * p->dims;
    part.y += first * p->points;
    if (p->query_x) part.query_x += first * p->points * p->dims;
    if (p->query_y) part.query_y += first * p->points;
    if (p->shown_y) part.shown_y += first * p->points * p->points;
    return part;
}

/* The chunk of at most `most` prompts that begins at `first`, below n. */
static inline struct prompt_view prompt_view_chunk(const struct prompt_view *p, size_t first,
                                                   size_t most) {
    const size_t left = p->n - first;
    return prompt_view_part(p, first, left < most ? left : most);
}

/* Tokens of prompt i, its query included, and how many there are; the same of its true answer. */
static inline const uint32_t *prompt_view_ids(const struct prompt_view *p, size_t i) {
    return p->text.ids + p->text.first[i];
}
static inline size_t prompt_view_length(const struct prompt_view *p, size_t i) {
    return p->text.first[i + 1] - p->text.first[i];
}
static inline const uint32_t *prompt_view_answer(const struct prompt_view *p, size_t i) {
    return p->text.answers + p->text.answer_first[i];
}
static inline size_t prompt_view_answer_length(const struct prompt_view *p, size_t i) {
    return p->text.answer_first[i + 1] - p->text.answer_first[i];
}

/* The queries of text prompts without their shots. */
static inline struct prompt_view prompt_view_alone(const struct prompt_view *p) {
    struct prompt_view alone = *p;
    alone.points = 1;
    alone.text.ids = p->text.alone_ids;
    alone.text.first = p->text.alone_first;
    alone.text.next = NULL;
    return alone;
}

/* x [dims] of point k (from 0) of prompt i; those of the points after it follow. */
static inline const float *prompt_view_x(const struct prompt_view *p, size_t i, size_t k) {
    return p->x + (i * p->points + k) * p->dims;
}

/* What is asked after k pairs of prompt i, the true answers to all queries [n, points], and the
 * labels [k] that these pairs show. */
static inline const float *prompt_view_query(const struct prompt_view *p, size_t i, size_t k) {
    return (p->query_x ? p->query_x : p->x) + (i * p->points + k) * p->dims;
}
static inline const float *prompt_view_targets(const struct prompt_view *p) {
    return p->query_y ? p->query_y : p->y;
}
static inline const float *prompt_view_labels(const struct prompt_view *p, size_t i, size_t k) {
    return p->shown_y ? p->shown_y + (i * p->points + k) * p->points : p->y + i * p->points;
}

#endif
