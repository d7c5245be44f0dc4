/*
 * prompt_view.h - prompts as plain arrays, whoever drew them, and the tokens they become.
 */
#ifndef MODEL_PROMPT_VIEW_H
#define MODEL_PROMPT_VIEW_H

#include <stddef.h>

struct prompt_view { /* borrowed */
    size_t n, points, dims;
    const float *x; /* [n, points, dims] */
    const float *y; /* [n, points] */
};

static inline struct prompt_view prompt_view_part(const struct prompt_view *p, size_t first,
                                                  size_t n) {
    struct prompt_view part = *p;
    part.n = n;
    part.x += first * p->points * p->dims;
    part.y += first * p->points;
    return part;
}

/* x of point k (from 0) of prompt i. */
static inline const float *prompt_view_x(const struct prompt_view *p, size_t i, size_t k) {
    return p->x + (i * p->points + k) * p->dims;
}

/* Interleaves n prompts into tokens [n, 2 * points, dims]: x_1, (y_1, 0, ...), x_2, ... (Garg et
 * al., 2022) */
void prompt_tokens(float *tokens, const float *x, const float *y, size_t n, size_t points,
                   size_t dims);

#endif
