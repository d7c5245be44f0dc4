/*
 * progress_bar.h - progress of a run on stderr: a bar on a terminal, a line every 30 s in a log.
 */
#ifndef CLI_PROGRESS_BAR_H
#define CLI_PROGRESS_BAR_H

#include <stdbool.h>

#include "base/text.h"
#include "par/farm.h"

struct progress_bar {
    bool quiet, terminal;
    double last_line; /* clock_now() of the last line in a log */
    bool drawn;       /* the current line of the terminal holds a bar */
};

void progress_bar_init(struct progress_bar *b, bool quiet);
void progress_bar_show(const struct farm_progress *p, void *bar); /* farm's progress callback */
void progress_bar_clear(struct progress_bar *b); /* before anything else is printed */

/* "[####      ] 12 of 40 done, 2 running, 1 failed, 3 min 05 s to go"; width 0: no bar. */
void progress_bar_text(struct text *out, const struct farm_progress *p, int width);

#endif
