/*
 * answer_labels.h - the distributions over labels (passes/label_scores.h) that an evaluation on
 * text leaves in its artifact, and their distance.
 */
#ifndef RUN_TABLES_ANSWER_LABELS_H
#define RUN_TABLES_ANSWER_LABELS_H

#include <stdbool.h>

#include "base/err.h"
#include "tensorfile/tensorfile.h"

struct answer_labels {
    size_t items, n;
    float *samples;  /* [items] sample number of each item */
    float *tokens;   /* [n] the labels */
    float *log_prob; /* [items, n]; NULL: an older program wrote the artifact, which has none */
};

/* *out is {0}. ERR_DATA, ERR_MEMORY. */
enum err_code answer_labels_read(struct answer_labels *out, const struct tensorfile *file,
                                 struct err *err);
void answer_labels_release(struct answer_labels *l); /* idempotent */

/* out [items] = KL(of || l) of each item, in nats. False, and NaN, where they are not of the same
 * items and labels. */
bool answer_labels_distance(double *out, const struct answer_labels *of,
                            const struct answer_labels *l, size_t items);

#endif
