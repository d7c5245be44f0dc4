/*
 * lock.h - one run at a time in a directory: DIR/lock, with host, pid, Slurm job and start.
 *
 * The holder touches the file every few seconds (lock_beat); the time of that touch is its
 * heartbeat.  A lock is stale if its process is dead (same host: pid and start time tell), or on
 * another host if its heartbeat is older than LOCK_STALE seconds.
 */
#ifndef STORE_LOCK_H
#define STORE_LOCK_H

#include <stdbool.h>

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
    bool alive; /* a run holds DIR now */
    char host[128], slurm[64], started[32];
    long pid;
    double silent; /* seconds since its heartbeat */
};

/* Takes DIR/lock, replacing a stale one. Busy: ERR_CONFIG naming host and pid. */
enum err_code lock_take(struct lock *l, const char *dir, struct err *err);
/* Cheap; looks and touches every 5 s. ERR_IO when the lock is gone or somebody else's, as after
 * this process was suspended for long; then it is held no more, and the run must not write. */
enum err_code lock_beat(struct lock *l, struct err *err);
void lock_release(struct lock *l); /* idempotent; leaves a lock that is somebody else's */

/* Who holds DIR, for status; alive false when nobody does. Never fails: no lock is no holder. */
void lock_look(struct lock_holder *out, const char *dir);

#endif
