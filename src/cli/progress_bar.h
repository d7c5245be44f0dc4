/*
 * progress_bar.h - how far a run is: a bar on a terminal, a line now and then in a log. On stderr.
 */
#ifndef CLI_PROGRESS_BAR_H
#define CLI_PROGRESS_BAR_H

#include <stdbool.h>

#include "base/text.h"
#include "par/farm.h"

struct progress_bar {
    bool quiet, terminal;
    double last_line; /* clock_now() of the last line in a log */
    bool drawn;       /* a bar stands on the current line */
};

void progress_bar_init(struct progress_bar *b, bool quiet);
void progress_bar_show(const struct farm_progress *p, void *bar); /* farm's progress callback */
void progress_bar_clear(struct progress_bar *b); /* before anything else is printed */

/* "[####      ] 12 of 40 done, 2 running, 1 failed, 3 min 05 s to go"; width 0: no bar. */
void progress_bar_text(struct text *out, const struct farm_progress *p, int width);

#endif
