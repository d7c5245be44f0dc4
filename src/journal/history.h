/*
 * history.h - the journal replayed: state, rows and attempts of every job.  The scheduler, status,
 * table, digest and results.h5 all read it.
 *
 * A later event replaces an earlier one, so a line written twice changes nothing.  Rows are sorted
 * by number; the last one written for a number counts.  A job that was started and neither done,
 * failed nor stopped is HISTORY_STARTED: whether it still runs is for the caller to find out (the
 * lock tells whether the run is alive).  A done job that lost a row to a damaged line is
 * HISTORY_STOPPED and runs again.
 */
#ifndef JOURNAL_HISTORY_H
#define JOURNAL_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "job/job.h"
#include "journal/event.h"

enum history_state {
    HISTORY_STARTED,
    HISTORY_STOPPED, /* stopped on request, or its last start belongs to an attempt that ended */
    HISTORY_DONE,
    HISTORY_FAILED
};

struct history_row {
    size_t number, n;
    struct job_value *cells; /* texts owned by the history */
};

struct history_job {
    char identity[65];
    enum history_state state;
    size_t attempt;     /* number of the attempt of its last start */
    size_t lost;        /* attempts in a row that died while it ran, without a new checkpoint */
    size_t starts;      /* how often it was started in all */
    size_t dones;       /* how often it was finished: more than 1 is a bug */
    size_t rows_due;    /* DONE: rows that its DONE line counts */
    double began;       /* seconds from the start of that attempt to its last start; < 0: unknown */
    double resumed;     /* `done` of the checkpoint that its last start resumed from */
    double done, total; /* of its newest checkpoint; total 0: none */
    double marked;      /* seconds from the start of its attempt to that; < 0: unknown */
    double seconds;     /* DONE: elapsed in its last start */
    double cpu;         /* DONE: processor seconds of the same; 0: not recorded (before 0.3.0) */
    double share;       /* DONE: of its planned work done in these seconds; 0: not known */
    size_t found, made; /* DONE: contexts that it shares with other jobs */
    bool artifact;      /* DONE: left a file */
    uint64_t bytes;     /* of the artifact */
    char sha256[65];    /* of the artifact, or "" */
    const char *ranks;  /* of its last start: "3,4" */
    const char *shards; /* DONE: "0:0-1,1:2-3", or "" */
    const char *failed_class, *reason; /* FAILED: "segv", "nan", ...; else "" */
    struct history_row *rows;          /* sorted by number */
    size_t n_rows;
};

struct history_attempt {
    size_t number;
    bool ended;      /* it ended in order; false: it runs, or it died */
    bool asked;      /* to stop, by a signal: then its death does not count against its jobs */
    int code;        /* exit code, if ended */
    const char *end; /* when it ended, or "" */
    size_t started, done, failed, checkpoints; /* events within it */
    struct event_field *fields;                /* all fields of its line, provenance included */
    size_t n_fields;
};

struct history {
    struct history_job *jobs; /* in the order of their first event */
    size_t n_jobs;
    struct history_attempt *attempts;
    size_t n_attempts;
    size_t lines, damaged; /* lines of the journal, and those skipped */
    bool torn;
    int version; /* the latest version of the format that a line names; 0: no first line */
    struct history_private *own;
};

/* data: a whole journal, or any prefix of one. *h is {0} or released. Only ERR_MEMORY. */
enum err_code history_replay(struct history *h, const char *data, size_t size, struct err *err);
void history_release(struct history *h);

const struct history_job *history_find(const struct history *h, const char *identity); /* or NULL */
const char *history_field(const struct history_attempt *a, const char *name);          /* or NULL */

#endif
