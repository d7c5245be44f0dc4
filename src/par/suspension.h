/*
 * suspension.h - notices that this process did not run for a while: suspended (Ctrl-Z, SIGSTOP,
 * scontrol suspend), or blocked by a slow disk.  A suspension is detected from the time between two
 * ticks of this process. The processes it watches may have been suspended with it, so that time
 * does not count as their silence.
 */
#ifndef PAR_SUSPENSION_H
#define PAR_SUSPENSION_H

struct suspension {
    double now; /* clock_now() of this tick; silences are measured up to it, not to a later call */
    double length; /* seconds of the suspension before it; 0: none */
};

void suspension_tick(struct suspension *p, double now);

/* Excludes the suspension from a silence that began at *since; *since is at most p->now after it.
 */
void suspension_move(double *since, const struct suspension *p);

#endif
