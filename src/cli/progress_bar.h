/*
 * progress_bar.h - progress of a run on stderr: a bar on a terminal, lines at growing intervals in
 * a log.
 */
#ifndef CLI_PROGRESS_BAR_H
#define CLI_PROGRESS_BAR_H

#include <stdbool.h>

#include "base/err.h"
#include "base/text.h"
#include "par/farm.h"

enum progress_form {
    PROGRESS_AUTO, /* a bar if stderr, or that of mpirun, is a terminal; else lines */
    PROGRESS_BAR,
    PROGRESS_LINES,
    PROGRESS_NONE,
};

struct progress_bar {
    enum progress_form form; /* not PROGRESS_AUTO */
    int fd;                  /* where the bar is drawn */
    double began, next_line; /* clock_now() at the start, and of the next line */
    bool drawn;              /* the current line of the terminal holds a bar */
};

/* `word` of --progress: auto, bar, lines or none; NULL: none if quiet, else auto. */
enum err_code progress_form_read(enum progress_form *form, const char *word, bool quiet,
                                 struct err *err);

/* began: clock_now() at the start of the program. */
void progress_bar_init(struct progress_bar *b, enum progress_form form, double began);
void progress_bar_show(const struct farm_progress *p, void *bar); /* farm's progress callback */
void progress_bar_clear(struct progress_bar *b); /* before anything else is printed */
void progress_bar_release(struct progress_bar *b);

/* Seconds after the start at which the line after one at `seconds` is due: the first after a
 * second, then each at twice the time of the one before, at most 5 min later. */
double progress_next_line(double seconds);

/* "[####      ] 40%, 12 of 40 jobs done, 2 running, 1 failed, 3 min 05 s to go"; width 0: no bar.
 */
void progress_bar_text(struct text *out, const struct farm_progress *p, int width);

#endif
