/*
 * lock.h - one run at a time in a directory: DIR/lock, with host, pid, Slurm job and start.
 *
 * The holder touches the file every few seconds (lock_beat); the modification time is its
 * heartbeat. A lock of this host is stale if its process is dead (pid and start time identify it);
 * a lock of another host is stale if its heartbeat does not change for LOCK_STALE seconds of
 * watching.  Two readings of one file are compared, never the clocks of two nodes.
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
    unsigned long long disk, file; /* device and inode of the file that we created */
};

struct lock_holder {
    bool there;      /* DIR/lock exists */
    bool elsewhere;  /* its process is on another host, or unknown */
    bool unreadable; /* exists, but names no process: being written, or damaged */
    bool alive; /* a run holds DIR now; on another host: by its heartbeat and the local clock */
    char host[128], slurm[64], started[32];
    long pid;
    unsigned long long born; /* start of the process, in ticks since its host's boot */
    struct timespec beat;    /* its heartbeat, by the file system's clock */
    double silent;           /* seconds since then, by the local clock */
};

/* Takes DIR/lock and replaces a stale one; one of another host is stale after `grace` seconds
 * without a heartbeat (LOCK_STALE; tests are shorter). In use: ERR_CONFIG naming host and pid. */
enum err_code lock_take(struct lock *l, const char *dir, double grace, struct err *err);
/* Checks and touches the lock every 5 s; cheap in between. ERR_IO when the lock is gone or belongs
 * to another run, as after a long suspension of this process; the run must then stop writing. */
enum err_code lock_beat(struct lock *l, struct err *err);
void lock_release(struct lock *l); /* idempotent; never removes the lock of another run */

/* Who holds DIR, for `status`. Never fails: without a lock, there and alive are false. */
void lock_look(struct lock_holder *out, const char *dir);

/* The same for repeated calls: *watch is {0} at first. A heartbeat that changed between two calls
 * proves that the holder is alive, even if the clocks differ. */
struct lock_watch {
    struct lock_holder before;
    double moved; /* clock_now() of the last call that saw a new heartbeat; 0: none yet */
};
void lock_look_again(struct lock_holder *out, struct lock_watch *watch, const char *dir);

#endif
