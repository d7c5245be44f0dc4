/*
 * suspension.h - a process that was away: stopped (Ctrl-Z, SIGSTOP, scontrol suspend) or kept by a
 * slow disk.  It knows by the time between two of its own ticks.  Whom it watches may have been
 * stopped with it, so that time is no silence of theirs.
 */
#ifndef PAR_SUSPENSION_H
#define PAR_SUSPENSION_H

struct suspension {
    double now;    /* clock_now() of this tick: silences are told by it, not by a later look */
    double length; /* seconds away before it; 0: an ordinary nap */
};

void suspension_tick(struct suspension *p, double now);

/* A silence that began at *since: the time away is left out, and it begins by now at the latest. */
void suspension_move(double *since, const struct suspension *p);

#endif
