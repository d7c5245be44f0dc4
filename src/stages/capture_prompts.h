/*
 * capture_prompts.h - the prompts of a capture, as its artifact has them: one row for each.
 */
#ifndef STAGES_CAPTURE_PROMPTS_H
#define STAGES_CAPTURE_PROMPTS_H

#include "base/text.h"
#include "job/job.h"
#include "sources/source.h"
#include "stages/capture_tokens.h"
#include "json/json_writer.h"

struct capture_prompts {
    size_t points, dims, parameters;
    size_t longest, answer; /* of text: tokens of the longest prompt and answer */
    enum capture_tokens which;
    size_t each;           /* tokens of a prompt whose activations are saved, at most */
    float *x;              /* [n, points, dims] */
    float *y;              /* [n, points] */
    float *functions;      /* [n, parameters]; NULL: the source has no functions */
    float *position;       /* [n, each] these tokens in their prompt, from 0, then -1 */
    float *ids;            /* [n, longest], then -1; only of text */
    float *answers;        /* [n, answer], then -1 */
    struct text questions; /* of text: JSON, [[sample, input, answer], ...] */
    struct json_writer writer;
};

/* ERR_MEMORY. */
enum err_code capture_prompts_create(struct capture_prompts *p, const struct source_info *info,
                                     const struct source_lengths *lengths, size_t n, size_t points,
                                     enum capture_tokens which, struct err *err);
void capture_prompts_destroy(struct capture_prompts *p); /* idempotent */

/* Floats of a row, of all arrays. */
size_t capture_prompts_numbers(const struct source_info *info, const struct source_lengths *lengths,
                               size_t points, enum capture_tokens which);

/* The prompts of the last draw become rows first .. ; to be called in the order of the rows. */
enum err_code capture_prompts_take(struct capture_prompts *p, size_t first,
                                   const struct source *source, const struct prompt_view *drawn,
                                   struct err *err);

/* n rows, and of text the notes `questions`, `bos`, `prompts_left_out` and `answers_crossed`. */
enum err_code capture_prompts_write(struct capture_prompts *p, struct job_ctx *ctx, size_t n,
                                    const struct source_info *info, struct err *err);

#endif
