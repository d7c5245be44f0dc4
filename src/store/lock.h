/*
 * lock.h - one run at a time in a directory: DIR/lock, with host, pid, Slurm job and start.
 *
 * The holder touches the file every few seconds (lock_beat); the time of that touch is its
 * heartbeat.  A lock is stale if its process is dead (same host: pid and start time tell), or on
 * another host if its heartbeat does not move for LOCK_STALE seconds while somebody watches: two
 * readings of one file are compared, never the clocks of two nodes.
 */
#ifndef STORE_LOCK_H
#define STORE_LOCK_H

#include <stdbool.h>
#include <time.h>

#include "base/err.h"
#include "base/file.h"

enum { LOCK_STALE = 60 };

struct lock {
    bool held;
    char path[FILE_PATH_MAX];
    double last_beat;              /* clock_now() */
    unsigned long long disk, file; /* which file it is: another of the same name is not ours */
};

struct lock_holder {
    bool there;      /* DIR/lock exists */
    bool elsewhere;  /* its process is not on this host, or it is just being written */
    bool unreadable; /* there, but empty, garbage, or just being written: names nobody */
    bool alive;      /* a run holds DIR now; elsewhere: as far as one look and our clock can tell */
    char host[128], slurm[64], started[32];
    long pid;
    unsigned long long born; /* start of the process, in ticks since its host's boot */
    struct timespec beat;    /* its heartbeat, by the clock of the file system */
    double silent;           /* seconds since then, by our clock */
};

/* Takes DIR/lock, replacing a stale one: on another host after `patience` seconds without a beat,
 * LOCK_STALE but in tests. Busy: ERR_CONFIG naming host and pid. */
enum err_code lock_take(struct lock *l, const char *dir, double patience, struct err *err);
/* Cheap; looks and touches every 5 s. ERR_IO when the lock is gone or somebody else's, as after
 * this process was suspended for long; then it is held no more, and the run must not write. */
enum err_code lock_beat(struct lock *l, struct err *err);
void lock_release(struct lock *l); /* idempotent; leaves a lock that is somebody else's */

/* Who holds DIR, for status; alive false when nobody does. Never fails: no lock is no holder. */
void lock_look(struct lock_holder *out, const char *dir);

/* The same for who looks again and again: *watch is {0} at first, and a beat that moved between two
 * looks is a sign of life whatever the clocks say. */
struct lock_watch {
    struct lock_holder before;
    double moved; /* clock_now() of the last look that saw another beat; 0: none yet */
};
void lock_look_again(struct lock_holder *out, struct lock_watch *watch, const char *dir);

#endif
