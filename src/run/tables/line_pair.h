/*
 * line_pair.h - the errors of two lines of the main table, side by side.
 */
#ifndef RUN_TABLES_LINE_PAIR_H
#define RUN_TABLES_LINE_PAIR_H

#include "run/tables/summary.h"

struct line_pair {
    size_t seeds, functions; /* seeds: repeats that both lines have */
    double *a, *b;           /* [seeds, functions]: means over the range; one block, owned by a */
};

/* Errors of the range with this name ("trained": up to the trained length), for equal repeats. A
 * line without a fit, as `plain`, has the same errors for every repeat of the other. *known is
 * false, and *out empty, where the lines have no repeat in common or one has no such range.
 * ERR_MEMORY. */
enum err_code line_pair_make(struct line_pair *out, bool *known, const struct summary_group *a,
                             const struct summary_group *b, const struct error_range *range,
                             struct err *err);
void line_pair_release(struct line_pair *p); /* idempotent */

/* The line of `method` in the setting of *g that has its functions and points; NULL: none. */
const struct summary_group *line_pair_find(const struct summary *s, const struct summary_group *g,
                                           const char *method);
bool line_pair_same_setting(const struct summary_group *a, const struct summary_group *b);

#endif
