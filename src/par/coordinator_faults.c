#include "par/coordinator_faults.h"

#include <signal.h>

#include "base/clock.h"
#include "journal/event.h"
#include "store/artifact.h"

static const double CLOCK_JUMP = 5 * 3600.0; /* seconds */

/* Kills the child first, because it would continue for a moment after its supervisor. mpirun ends
 * the other ranks. */
static void kill_all(const struct coordinator *c) {
    if (*c->own_child > 0) (void)kill(*c->own_child, SIGKILL);
    inject_trigger(INJECT_KILL_ALL);
}

bool fault_is_coordinators(enum inject_kind kind) {
    return kind == INJECT_KILL_ALL || kind == INJECT_KILL_COORDINATOR;
}

enum err_code fault_at_job(struct coordinator *c, size_t job, struct err *err) {
    enum err_code rc = ERR_OK;
    const enum inject_kind kind = inject_find(&c->inject, false, job);
    const bool of_this_rank = kind == INJECT_KILL_RANK && c->f->in_process;
    if (!fault_is_coordinators(kind) && !of_this_rank) return ERR_OK;
    TRY(journal_flush(&c->journal, err));
    if (kind != INJECT_KILL_COORDINATOR) kill_all(c);
    inject_trigger(INJECT_KILL);
cleanup:
    return rc;
}

/* Cuts the artifact of a DONE line, as a power failure may that loses the file but not the line. */
static void cut_artifact(const struct coordinator *c, const char *line, size_t size) {
    struct event_reader r;
    char path[FILE_PATH_MAX];
    event_reader_init(&r, line, size);
    if (event_reader_next(&r) && r.event.job &&
        artifact_path(path, c->dir, r.event.job, NULL) == ERR_OK)
        (void)inject_halve(path);
    event_reader_release(&r);
}

static void trigger_after_line(const struct coordinator *c, enum inject_kind kind, const char *line,
                               size_t size) {
    switch (kind) {
    case INJECT_TORN_ARTIFACT:
        cut_artifact(c, line, size);
        kill_all(c);
        break;
    case INJECT_KILL_ALL:
        kill_all(c);
        break;
    case INJECT_CLOCK_JUMP:
        clock_set_offset(clock_offset() > 0.0 ? -CLOCK_JUMP : CLOCK_JUMP);
        break;
    default:
        inject_trigger(kind);
    }
}

/* The lines before it are flushed first, so that the fault affects exactly this one. */
enum err_code fault_at_line(struct coordinator *c, enum inject_kind kind, const char *line,
                            size_t size, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct disk disk = inject_disk(kind);
    TRY(journal_flush(&c->journal, err));
    journal_add(&c->journal, line, size);
    if (disk.error || disk.delay > 0.0) c->journal.disk = disk;
    rc = journal_flush(&c->journal, err);
    if (kind == INJECT_TORN_JOURNAL) kill_all(c);
    if (rc == ERR_OK) trigger_after_line(c, kind, line, size);
cleanup:
    return rc;
}
