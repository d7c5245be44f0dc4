/*
 * summary_text.h - evaluations on text as lines of a summary (summary.h), for comparisons.
 *
 * A function is a test item there, its error 1 where its answer is wrong and else 0, and the only
 * range is the number of shots of the prompts.
 */
#ifndef RUN_TABLES_SUMMARY_TEXT_H
#define RUN_TABLES_SUMMARY_TEXT_H

#include "run/tables/summary.h"
#include "tensorfile/tensorfile.h"

extern const char SUMMARY_SHOTS[]; /* name of the range */

/* The line is of text. */
bool summary_is_text(const struct summary_group *g);

/* errors [functions], which the caller frees, from the tensor "scores" of a job's artifact; sets
 * g->functions, g->points and g->ranges. shots: of the job's prompts. ERR_DATA, ERR_MEMORY. */
enum err_code summary_text_read(float **errors, struct summary_group *g,
                                const struct tensorfile *file, int64_t shots, struct err *err);

/* The line of `plain` with this shift and the most shots on the task of *g: all that tells settings
 * apart but shots and labels is equal, and the items are. NULL: there is none. */
const struct summary_group *summary_text_plain(const struct summary *s,
                                               const struct summary_group *g, const char *shift);

/* The line of the same fit whose weights are the initial ones: epochs = 0. NULL: there is none. */
const struct summary_group *summary_text_initial(const struct summary *s,
                                                 const struct summary_group *g);

/* The fits of both lines are equal but for their tasks. */
bool summary_text_same_fit(const struct summary_group *a, const struct summary_group *b);

/* *out becomes "antonym *, template = {x}: {y}, 10-shot shuffled; plain 10-shot 0.840, shuffled
 * 0.700": the task, what varies between settings, the prompts, and what the plain model does on it.
 * *: shuffled labels are no corruption (answer_lines.h). */
void summary_text_title(struct text *out, const struct summary *s, const struct summary_group *g);

#endif
