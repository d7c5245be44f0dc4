/*
 * event.h - one line of the journal: an event, with its own checksum.
 *
 *     CHECKSUM TAB KIND TAB NAME=VALUE TAB ... NEWLINE
 *
 * CHECKSUM is the first 16 hexadecimal digits of the SHA-256 of what follows its TAB.  In values
 * the bytes below 0x20, 0x7f and '%' are written %XX.  The first line of a file is of the kind
 * "journal" and carries the version of this format.
 *
 *     journal     version
 *     attempt     number, utc, host, hosts (of all ranks: "n1*4 n2*4"), pid, ranks, then free
 *                 provenance fields
 *     start       job, ranks (world ranks in the order of the group: "3,4"), serial, ms (since the
 *                 attempt began)
 *     row         job, number, then one field "c" per cell: t:TEXT i:INTEGER r:REAL (as %a)
 *     checkpoint  job, done, total, ms (as in start)
 *     done        job, rows, seconds (elapsed), cpu (processor seconds of the first rank of its
 *                 group), share (of its planned work, done in these seconds; 0: not known),
 *                 artifact (0 or 1), bytes, sha256, shards ("0:0-1,1:2-3"); found, made: contexts
 *                 that an earlier job had left, and that it computed, where other jobs may read
 *                 them too
 *     failed      job, class, reason
 *     stopped     job: stopped on request before its end; it is pending again
 *     leave       signal: a request to stop the attempt has arrived
 *     end         utc, code (the exit code), reason
 *
 * `job` is the identity of a job, 64 hexadecimal digits.  A reader accepts any prefix of any
 * journal: a last line without newline is ignored, a damaged line is skipped and counted, a kind it
 * does not know is EVENT_OTHER.
 */
#ifndef JOURNAL_EVENT_H
#define JOURNAL_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "job/job.h"

enum { EVENT_VERSION = 1 };

enum event_kind {
    EVENT_JOURNAL,
    EVENT_ATTEMPT,
    EVENT_START,
    EVENT_ROW,
    EVENT_CHECKPOINT,
    EVENT_DONE,
    EVENT_FAILED,
    EVENT_STOPPED,
    EVENT_LEAVE,
    EVENT_END,
    EVENT_OTHER /* written by a later version: ignored */
};

/* ---- writing: begin, fields, end; *line is cleared first and then is one whole line. */
void event_begin(struct text *line, enum event_kind kind);
void event_text(struct text *line, const char *name, const char *value);
void event_integer(struct text *line, const char *name, int64_t value);
void event_real(struct text *line, const char *name, double value);
void event_cell(struct text *line, const struct job_value *cell);
void event_end(struct text *line);

/* ---- reading */
struct event_field {
    const char *name, *value; /* unescaped, in the event's own storage */
};

struct event { /* {0} is empty; reused from line to line */
    enum event_kind kind;
    const char *word; /* the kind as written */
    const char *job;  /* identity, or NULL */
    struct event_field *fields;
    size_t n, capacity;
    struct text storage;
};

void event_release(struct event *e);

/* Parses one line without its newline. False: damaged (checksum, no kind, a field without '='), or
 * memory is short. */
bool event_parse(struct event *e, const char *line, size_t size);

const char *event_find(const struct event *e, const char *name); /* value, or NULL */
int64_t event_find_integer(const struct event *e, const char *name, int64_t otherwise);
double event_find_real(const struct event *e, const char *name, double otherwise);

/* True: the field of a row is a cell, and *out is it; *sound false: not one of t: i: r:. */
bool event_cell_field(struct job_value *out, bool *sound, const struct event_field *f);

/* Cell i of a row event (0, 1, ...). False: no such cell, or not one of t: i: r:. The text of a
 * cell lives as long as the event. */
bool event_find_cell(struct job_value *out, const struct event *e, size_t i);

struct event_reader { /* over a whole journal in memory */
    const char *data;
    size_t size, at;
    size_t line;    /* number of the line last looked at + 1, from 0: lines seen so far */
    size_t damaged; /* lines skipped */
    bool torn;      /* the last line has no newline; ignored */
    struct event event;
};

void event_reader_init(struct event_reader *r, const char *data, size_t size);
bool event_reader_next(struct event_reader *r); /* r->event is the next sound one */
void event_reader_release(struct event_reader *r);

#endif
