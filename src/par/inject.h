/*
 * inject.h - faults on demand: TASKVEC_INJECT=KIND@job:N | KIND@event:N[,...]
 *
 * N is a line of `plan` (the fault strikes the compute child that gets this job; of a group the
 * last rank's), or of the journal (it strikes the coordinator when it has written that line), both
 * from 0.  Kinds: kill segv abort exit hang oom nan, and kill-all: the coordinator ends its own
 * child and then itself by SIGKILL, and all other processes with it.
 */
#ifndef PAR_INJECT_H
#define PAR_INJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum inject_kind {
    INJECT_NONE,
    INJECT_KILL,
    INJECT_SEGV,
    INJECT_ABORT,
    INJECT_EXIT,
    INJECT_HANG,
    INJECT_OOM,
    INJECT_NAN,
    INJECT_KILL_ALL
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

enum inject_kind inject_find(const struct inject *in, bool event, size_t number);

/* Does it to this process. Returns only for NONE, and for OOM once memory is exhausted. */
void inject_strike(enum inject_kind kind);

#endif
