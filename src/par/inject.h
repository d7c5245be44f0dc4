/*
 * inject.h - injected faults, for tests: TASKVEC_INJECT=KIND@job:N | KIND@event:N[,...]
 *
 * N counts from 0. job:N is a line of `plan`: the fault is injected into the compute child that
 * gets this job (in a group, that of the last rank, or the one that writes the file). event:N is a
 * line of the journal: the fault is injected into the coordinator when it has written that line.
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
    INJECT_NAN,              /* a job only: its next number becomes NaN */
    INJECT_KILL_ALL,         /* the coordinator and its child; mpirun ends the rest */
    INJECT_KILL_COORDINATOR, /* it alone */
    INJECT_KILL_RANK,        /* a job only: the supervisor of the rank that has it */
    INJECT_ENOSPC,           /* files of a job; the journal from half of that line on */
    INJECT_EIO,              /* files of a job; the write of that line, once */
    INJECT_SLOW_FS,          /* files of a job; the journal from that line on: 0.2 s a step */
    INJECT_TORN_JOURNAL,     /* a line only: half of it is written, then as kill-all */
    INJECT_TORN_ARTIFACT,    /* job: the artifact is cut in half before the DONE line, and the rank
                              * dies; DONE line: it is cut after the line, then as kill-all */
    INJECT_CLOCK_JUMP /* a line only: the wall clock is 5 h ahead; at the next jump 5 h behind */
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

/* text: the variable's value, NULL for none. ERR_USAGE quotes what was not understood. */
enum err_code inject_parse(struct inject *out, const char *text, struct err *err);

/* ERR_USAGE for a job beyond the n_jobs of the plan. */
enum err_code inject_check(const struct inject *in, size_t n_jobs, struct err *err);

enum inject_kind inject_find(const struct inject *in, bool event, size_t number);

/* Carries out a fault in this process. Returns for kinds that do not end a process. */
void inject_trigger(enum inject_kind kind);

/* Allocates until none is left, without touching the pages: the memory limit of the child is
 * reached long before the memory of the machine. Returns how many bytes it got. */
size_t inject_exhaust(void);

bool inject_is_storage(enum inject_kind kind);
struct disk inject_disk(enum inject_kind kind); /* {0} for kinds that do not affect storage */

/* In a compute child that has written its artifact: cuts it in half and kills the rank. */
void inject_tear(const char *path);
bool inject_halve(const char *path); /* cuts a file in half; false: it is not there */

#endif
