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

struct prompt_view {
    size_t n, points, dims;
    const float *x; /* [n, points, dims] */
    const float *y; /* [n, points] */
    /* For prompts whose queries are not the points that the context shows (shifted covariates), and
     * for prompts whose labels change with the number of pairs shown (shuffled labels): */
    const float *query_x; /* [n, points, dims] what is asked after k pairs; NULL: x */
    const float *query_y; /* [n, points] its true answer; NULL: y */
    const float *shown_y; /* [n, points, points] row k: the labels of the k pairs; NULL: y */
};

/* Prompts first .. first + n - 1. */
static inline struct prompt_view prompt_view_part(const struct prompt_view *p, size_t first,
                                                  size_t n) {
    struct prompt_view part = *p;
    part.n = n;
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
