/*
 * verify_pretrained.h - comparisons with the reference file of a pretrained language model, whose
 * numbers were computed in double precision too (group float64) and whose logits are given by their
 * largest values.
 */
#ifndef RUN_VERIFY_VERIFY_PRETRAINED_H
#define RUN_VERIFY_VERIFY_PRETRAINED_H

#include "run/verify/verify_text.h"

/* A dataset of n numbers, that of float64/ where it is there. */
enum err_code pretrained_floats(struct fixture_array *out, const struct text_reference *t,
                                const char *name, size_t n, struct err *err);

/* One line for got [n]. */
enum err_code pretrained_compare(const struct text_reference *t, const char *part, const char *name,
                                 const float *got, size_t n, enum tolerance tolerance,
                                 struct err *err);

/* One line for got [rows, width]: the largest error relative to the largest number of its row. */
enum err_code pretrained_rows(const struct text_reference *t, const char *part, const char *name,
                              const float *got, size_t rows, size_t width, enum tolerance tolerance,
                              struct err *err);

/* Lines for logits [B, V] of the prompts: GROUPlogits_top, logits_top_ids and logits_logsumexp. An
 * id counts where its neighbours differ by more than twice the tolerance of a logit. */
enum err_code pretrained_logits(const struct text_reference *t, const char *part, const char *group,
                                const float *logits, struct err *err);

/* Lines of part fv for the prompts GROUPfv/corrupted_*; mean [L, H D]: head outputs over clean
 * prompts. */
enum err_code verify_pretrained_effects(const struct text_reference *clean, const char *group,
                                        const float *mean, struct err *err);

/* The tasks of the file: verify_pretrained_task.c. */
enum err_code verify_pretrained_tasks(struct verify_report *r, const struct fixture *f,
                                      const struct params *p, struct err *err);

#endif
