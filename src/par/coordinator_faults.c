#include "par/coordinator_faults.h"

#include <signal.h>

#include "base/clock.h"
#include "journal/event.h"
#include "store/artifact.h"

static const double JUMP = 5 * 3600.0; /* seconds */

/* Its own child first: it would outlive the moment. */
static void kill_all(const struct coordinator *c) {
    if (*c->own_child > 0) (void)kill(*c->own_child, SIGKILL);
    inject_strike(INJECT_KILL_ALL);
}

bool fault_is_ours(enum inject_kind kind) {
    return kind == INJECT_KILL_ALL || kind == INJECT_KILL_COORDINATOR;
}

enum err_code fault_of_job(struct coordinator *c, size_t job, struct err *err) {
    enum err_code rc = ERR_OK;
    const enum inject_kind kind = inject_find(&c->inject, false, job);
    if (!fault_is_ours(kind) && !(kind == INJECT_KILL_RANK && c->f->in_process)) return ERR_OK;
    TRY(journal_flush(&c->journal, err));
    if (kind != INJECT_KILL_COORDINATOR) kill_all(c);
    inject_strike(INJECT_KILL);
cleanup:
    return rc;
}

/* The artifact of a DONE line, as after a power cut that kept the line and lost the file. */
static void tear_artifact(const struct coordinator *c, const char *line, size_t size) {
    struct event_reader r;
    char path[FILE_PATH_MAX];
    event_reader_init(&r, line, size);
    if (event_reader_next(&r) && r.event.job &&
        artifact_path(path, c->dir, r.event.job, NULL) == ERR_OK)
        (void)inject_halve(path);
    event_reader_release(&r);
}

static void strike_behind(const struct coordinator *c, enum inject_kind kind, const char *line,
                          size_t size) {
    switch (kind) {
    case INJECT_TORN_ARTIFACT:
        tear_artifact(c, line, size);
        kill_all(c);
        break;
    case INJECT_KILL_ALL:
        kill_all(c);
        break;
    case INJECT_CLOCK_JUMP:
        clock_set_offset(clock_offset() > 0.0 ? -JUMP : JUMP);
        break;
    default:
        inject_strike(kind);
    }
}

enum err_code fault_at_line(struct coordinator *c, enum inject_kind kind, const char *line,
                            size_t size, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct disk disk = inject_disk(kind);
    TRY(journal_flush(&c->journal, err)); /* what stands before it */
    journal_add(&c->journal, line, size);
    if (disk.error || disk.delay > 0.0) c->journal.disk = disk;
    rc = journal_flush(&c->journal, err);
    if (kind == INJECT_TORN_JOURNAL) kill_all(c);
    if (rc == ERR_OK) strike_behind(c, kind, line, size);
cleanup:
    return rc;
}
