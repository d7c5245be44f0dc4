/*
 * prompt_view.h - prompts as plain arrays, whoever drew them, and the tokens they become.
 */
#ifndef SOURCES_PROMPT_VIEW_H
#define SOURCES_PROMPT_VIEW_H

#include <stddef.h>

struct prompt_view { /* borrowed */
    size_t n, points, dims;
    const float *x; /* [n, points, dims] */
    const float *y; /* [n, points] */
    /* Where it is not the points themselves that are asked, or not their labels that are shown: */
    const float *query_x; /* [n, points, dims] what is asked after k pairs; NULL: x */
    const float *shown_y; /* [n, points, points] row k: the labels of the k pairs; NULL: y */
};

static inline struct prompt_view prompt_view_part(const struct prompt_view *p, size_t first,
                                                  size_t n) {
    struct prompt_view part = *p;
    part.n = n;
    part.x += first * p->points * p->dims;
    part.y += first * p->points;
    if (p->query_x) part.query_x += first * p->points * p->dims;
    if (p->shown_y) part.shown_y += first * p->points * p->points;
    return part;
}

/* x of point k (from 0) of prompt i. */
static inline const float *prompt_view_x(const struct prompt_view *p, size_t i, size_t k) {
    return p->x + (i * p->points + k) * p->dims;
}

/* What is asked after k pairs of prompt i, and the labels [k] of these pairs. */
static inline const float *prompt_view_query(const struct prompt_view *p, size_t i, size_t k) {
    return (p->query_x ? p->query_x : p->x) + (i * p->points + k) * p->dims;
}
static inline const float *prompt_view_labels(const struct prompt_view *p, size_t i, size_t k) {
    return p->shown_y ? p->shown_y + (i * p->points + k) * p->points : p->y + i * p->points;
}

/* Interleaves n prompts into tokens [n, 2 * points, dims]: x_1, (y_1, 0, ...), x_2, ... (Garg et
 * al., 2022) */
void prompt_tokens(float *tokens, const float *x, const float *y, size_t n, size_t points,
                   size_t dims);

#endif
