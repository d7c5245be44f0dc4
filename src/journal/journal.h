/*
 * journal.h - the file DIR/journal: append-only, one writer, the only record of a run's progress.
 *
 * What is appended reaches the system in one write() per flush and is synced to the disk every half
 * second, or at journal_sync().  Lines are made by journal/event.h.
 */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/file.h"
#include "base/text.h"
#include "journal/disk.h"
#include "journal/history.h"

struct journal {
    int fd; /* -1: closed */
    char path[FILE_PATH_MAX];
    size_t lines;       /* in the file, so the number of the next line */
    double last_sync;   /* clock_now() */
    size_t unsynced;    /* bytes */
    struct text buffer; /* lines not yet written */
    struct disk disk;   /* injected faults */
};

/* Opens DIR/journal for appending, creating it with its first line; a torn last line is cut off.
 * The caller holds the lock of DIR. ERR_CONFIG, and nothing is touched, for a later format. */
enum err_code journal_open(struct journal *j, const char *dir, struct err *err);

/* One whole line (with newline) to the buffer; journal_flush() writes all that gathered in one
 * write(). ERR_IO when the disk is full: nothing later is durable, so the attempt must stop. */
void journal_add(struct journal *j, const char *line, size_t size);
enum err_code journal_flush(struct journal *j, struct err *err);
/* journal_flush(), then to the disk; ERR_IO also where DIR/journal is no longer this file. */
enum err_code journal_sync(struct journal *j, struct err *err);
enum err_code journal_tick(struct journal *j, struct err *err);  /* flush; sync each half second */
enum err_code journal_close(struct journal *j, struct err *err); /* syncs; idempotent */

/* Whether a program before 0.3.0 began the journal: identities of its jobs have the keys that a job
 * does not read (config/fold.h). False where there is no journal, or its first line is damaged. */
bool journal_is_whole(const char *dir);

/* The whole journal as it is now, or nothing if there is none yet. Needs no lock. */
enum err_code journal_read(struct text *out, const char *dir, struct err *err);

/* journal_read() and history_replay(); ERR_CONFIG for a later format. */
enum err_code journal_history(struct history *out, const char *dir, struct err *err);

#endif
