/*
 * evaluate_keep.h - the key `keep` of `evaluate`: what the artifact holds besides the errors.
 *
 * "predictions" keeps the predictions and the true answers, "prompts" the prompts and the basis
 * prompts from which the vectors are made, so that a program elsewhere can repeat the evaluation.
 */
#ifndef STAGES_EVALUATE_KEEP_H
#define STAGES_EVALUATE_KEEP_H

#include "job/job.h"
#include "sources/source.h"

extern const char *const EVALUATE_KEEP_NAMES[];

/* Whether the key `keep` of the point has this name. */
bool evaluate_keeps(const struct config_point *point,
                    const char *name); /* values of the key, NULL-terminated */

struct evaluate_kept_sizes {
    size_t functions, points, dims;
    size_t basis_points; /* T0 of the basis prompts; 0: there are none */
    bool predictions, prompts;
    bool apart;    /* queries are not the points that the context shows */
    bool relabels; /* labels change with the number of pairs shown */
};

struct evaluate_kept { /* arrays by the names of their tensors; NULL: not kept */
    struct evaluate_kept_sizes size;
    float *predictions, *targets; /* [functions, points] */
    float *x, *y;                 /* [functions, points, dims], [functions, points] */
    float *query_x;               /* [functions, points, dims]; NULL too where it is x */
    float *shown_y;               /* [functions, points, points]; NULL too where it is y */
    float *basis_x, *basis_y;     /* [functions, T0, dims], [functions, T0] */
};

/* Sizes for the key `keep` of a point; source: that of the test prompts. T0: 0 where the method
 * has no basis of each prompt. */
void evaluate_kept_read(struct evaluate_kept_sizes *out, const struct config_point *point,
                        const struct source *source, size_t functions, size_t points, size_t T0);
size_t evaluate_kept_bytes(const struct evaluate_kept_sizes *size);

enum err_code evaluate_kept_create(struct evaluate_kept *k, const struct evaluate_kept_sizes *size,
                                   struct err *err);
void evaluate_kept_release(struct evaluate_kept *k);

/* Rows first .. first + n - 1: the test prompts of a chunk with predictions [n, points], and its
 * basis prompts. Each does nothing where the key does not ask for them. */
void evaluate_kept_take(struct evaluate_kept *k, size_t first, const struct prompt_view *prompts,
                        const float *predictions);
void evaluate_kept_take_basis(struct evaluate_kept *k, size_t first,
                              const struct prompt_view *basis);

/* Writes what was kept as tensors of the job. */
enum err_code evaluate_kept_write(const struct evaluate_kept *k, struct job_ctx *ctx,
                                  struct err *err);

#endif
