/*
 * inject.h - faults on demand: TASKVEC_INJECT=KIND@job:N | KIND@event:N[,...]
 *
 * N is a line of `plan` (the fault strikes the compute child that gets this job; of a group the
 * last rank's, or the one that writes), or of the journal (it strikes the coordinator when it has
 * written that line), both from 0.
 */
#ifndef PAR_INJECT_H
#define PAR_INJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "journal/disk.h"

/* Named in TASKVEC_INJECT as here, in lower case and with hyphens. */
enum inject_kind {
    INJECT_NONE,
    INJECT_KILL,
    INJECT_SEGV,
    INJECT_ABORT,
    INJECT_EXIT, /* with code 3 */
    INJECT_HANG,
    INJECT_OOM,              /* a job only */
    INJECT_NAN,              /* a job only: its next number is not finite */
    INJECT_KILL_ALL,         /* the coordinator and its child; mpirun ends the rest */
    INJECT_KILL_COORDINATOR, /* it alone */
    INJECT_KILL_RANK,        /* a job only: the supervisor of the rank that has it */
    INJECT_ENOSPC,           /* files of a job; the journal from half of that line on */
    INJECT_EIO,              /* files of a job; the write of that line, once */
    INJECT_SLOW_FS,          /* files of a job; the journal from that line on: 0.2 s a step */
    INJECT_TORN_JOURNAL,     /* a line only: half of it is written, then as kill-all */
    INJECT_TORN_ARTIFACT,    /* cut in half before the DONE line, and the rank dies; of a DONE line:
                              * behind it, then as kill-all */
    INJECT_CLOCK_JUMP        /* a line only: the wall clock is 5 h ahead; at the next 5 h behind */
};

enum { INJECT_MAX = 32 };

struct inject {
    struct inject_fault {
        enum inject_kind kind;
        bool event;
        size_t number;
    } faults[INJECT_MAX];
    size_t n;
};

/* text: the variable's value, NULL for none. ERR_USAGE names what was not understood. */
enum err_code inject_parse(struct inject *out, const char *text, struct err *err);

/* ERR_USAGE for a job that a plan of so many does not have. */
enum err_code inject_check(const struct inject *in, size_t n_jobs, struct err *err);

enum inject_kind inject_find(const struct inject *in, bool event, size_t number);

/* Does it to this process, which says so first. Returns for kinds that are not the end of one. */
void inject_strike(enum inject_kind kind);

/* Takes address space until none is left, not memory: the limit of the child ends it long before
 * the machine does. Returns how many bytes there were. */
size_t inject_exhaust(void);

bool inject_is_storage(enum inject_kind kind);
struct disk inject_disk(enum inject_kind kind); /* {0} for kinds that are not of storage */

/* In a compute child that has written its artifact: half of it is lost, and its rank dies. */
void inject_tear(const char *path);
bool inject_halve(const char *path); /* cuts a file in half; false: it is not there */

#endif
