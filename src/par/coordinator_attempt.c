/* One attempt of the coordinator: how it begins, what it watches, how it ends. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "journal/event.h"
#include "par/asan.h"
#include "par/coordinator.h"
#include "store/artifact.h"

static const double PROGRESS_EVERY = 0.5; /* seconds */
static const double PINGS = 6;            /* before silence */

/* ---------------------------------------------------------------- begin */

static enum err_code allocate(struct coordinator *c, struct err *err) {
    const size_t size = (size_t)c->par->size, n = c->f->n_jobs ? c->f->n_jobs : 1;
    c->tasks = calloc(size, sizeof *c->tasks);
    c->seats = calloc(size, sizeof *c->seats);
    c->checkpointed = calloc(n, sizeof *c->checkpointed);
    c->finished = calloc(n, sizeof *c->finished);
    if (!c->tasks || !c->seats || !c->checkpointed || !c->finished)
        return ERR(err, ERR_MEMORY, "no memory for %zu jobs on %zu ranks", n, size);
    c->dir = realpath(c->f->dir, NULL);
    if (!c->dir) return ERR(err, ERR_IO, "%s: %s", c->f->dir, strerror(errno));
    for (size_t rank = 0; rank < size; rank++)
        c->seats[rank] = (struct seat){.idle = true, .last_heard = clock_now()};
    c->n_idle = c->par->size;
    return ERR_OK;
}

static enum err_code make_queue(struct coordinator *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct farm *f = c->f;
    struct queue_job *jobs = calloc(f->n_jobs ? f->n_jobs : 1, sizeof *jobs);
    CHECK(jobs, ERR_MEMORY, "no memory for %zu jobs", f->n_jobs);
    for (size_t i = 0; i < f->n_jobs; i++)
        jobs[i] = (struct queue_job){.parents = f->jobs[i].parents,
                                     .n_parents = f->jobs[i].n_parents,
                                     .cost = f->jobs[i].cost,
                                     .group = f->jobs[i].group,
                                     .skip = f->jobs[i].skip};
    TRY(queue_create(&c->queue, jobs, f->n_jobs, c->par->size,
                     f->shortest_first ? QUEUE_SHORTEST : QUEUE_LONGEST, err));
cleanup:
    free(jobs);
    return rc;
}

static enum err_code append_lost(struct coordinator *c, size_t job, struct err *err) {
    event_begin(&c->line, EVENT_FAILED);
    event_text(&c->line, "job", c->f->jobs[job].identity);
    event_text(&c->line, "class", failure_text(FAILURE_LOST));
    event_text(&c->line, "reason", "the attempts died 5 times in a row while it ran");
    return coordinator_append_built(c, err);
}

static enum err_code append_attempt(struct coordinator *c, struct err *err) {
    char utc[32];
    const size_t n = c->past.n_attempts;
    clock_utc(utc);
    event_begin(&c->line, EVENT_ATTEMPT);
    event_integer(&c->line, "number", (int64_t)(n ? c->past.attempts[n - 1].number : 0) + 1);
    event_text(&c->line, "utc", utc);
    event_text(&c->line, "host", c->par->host);
    event_text(&c->line, "hosts", text_str(&c->hosts));
    event_integer(&c->line, "pid", getpid());
    event_integer(&c->line, "ranks", c->par->size);
    for (size_t i = 0; i < c->f->n_provenance; i++)
        event_text(&c->line, c->f->provenance[i].name, c->f->provenance[i].value);
    return coordinator_append_built(c, err);
}

static enum err_code clear_away(struct coordinator *c, struct err *err) {
    size_t removed = 0;
    const enum err_code rc = artifact_clean(&removed, c->dir, &c->past, err);
    if (removed > 0)
        log_line(&c->f->log, LOG_DETAIL, "%zu files that nobody finished deleted", removed);
    return rc;
}

static enum err_code open_attempt(struct coordinator *c, const bool *lost, struct err *err) {
    enum err_code rc = ERR_OK;
    if (PAR_ASAN)
        log_line(&c->f->log, LOG_INFO,
                 "AddressSanitizer needs the address space: no memory limits");
    TRY(append_attempt(c, err));
    for (size_t i = 0; i < c->f->n_jobs; i++)
        if (lost[i]) TRY(append_lost(c, i, err));
    TRY(journal_sync(&c->journal, err));
cleanup:
    return rc;
}

static enum err_code take_past(struct coordinator *c, struct err *err) {
    if (!c->f->past) return journal_history(&c->past, c->dir, err);
    c->past = *c->f->past;
    *c->f->past = (struct history){0};
    return ERR_OK;
}

enum err_code coordinator_begin(struct coordinator *c, bool *work, struct err *err) {
    enum err_code rc = ERR_OK;
    bool *lost = calloc(c->f->n_jobs ? c->f->n_jobs : 1, sizeof *lost), any_lost = false;
    CHECK(lost, ERR_MEMORY, "no memory for %zu jobs", c->f->n_jobs);
    c->began = c->pause.now = clock_now();
    TRY(inject_parse(&c->inject, getenv("TASKVEC_INJECT"), err));
    TRY(inject_check(&c->inject, c->f->n_jobs, err));
    TRY(allocate(c, err));
    TRY(make_queue(c, err));
    TRY(journal_open(&c->journal, c->dir, err));
    TRY(take_past(c, err));
    if (c->past.damaged > 0)
        log_line(&c->f->log, LOG_WARNING, "%s: %zu damaged lines are left out", c->journal.path,
                 c->past.damaged);
    TRY(coordinator_set_limit(c, err));
    TRY(clear_away(c, err));
    TRY(coordinator_set_past(c, lost, err));
    for (size_t i = 0; i < c->f->n_jobs; i++) any_lost |= lost[i];
    queue_begin(c->queue);
    *work = queue_left(c->queue) > 0 || any_lost;
    if (*work) TRY(open_attempt(c, lost, err));
cleanup:
    free(lost);
    return rc;
}

/* ---------------------------------------------------------------- watch */

/* The others may have been stopped when we were. */
static void leave_out_pause(struct coordinator *c) {
    suspension_tick(&c->pause, clock_now());
    for (int i = 0; i < c->par->size; i++) {
        suspension_move(&c->tasks[i].last_report, &c->pause);
        suspension_move(&c->seats[i].last_heard, &c->pause);
    }
}

/* Ranks of a group wait for each other with their clocks stopped; this one goes on. */
static void watch_groups(struct coordinator *c) {
    static const char WHY[] = "no rank of the group has made progress";
    const double most = 2 * (c->f->hang_after > 0 ? c->f->hang_after : 600.0);
    for (int i = 0; i < c->par->size; i++) {
        struct task *t = &c->tasks[i];
        if (t->serial && t->group > 1 && !t->failed && c->pause.now - t->last_report > most)
            coordinator_fail(c, t, -1, FAILURE_HANG, WHY, strlen(WHY));
    }
}

static enum err_code ping(struct coordinator *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct message_head head = {.kind = MESSAGE_PING};
    const double now = c->pause.now;
    if (now - c->last_ping < c->par->silence / PINGS) return ERR_OK;
    c->last_ping = now;
    for (int rank = 1; rank < c->par->size; rank++) {
        CHECK(now - c->seats[rank].last_heard < 2 * c->par->silence, ERR_MPI,
              "rank %d has been silent for %.0f s: the attempt ends, run it again to go on", rank,
              now - c->seats[rank].last_heard);
        TRY(transport_send(c->mail, rank, TAG_WORKER, &head, NULL, err));
    }
cleanup:
    return rc;
}

/* A DONE line on the disk makes its checkpoint waste. */
static void remove_checkpoints(struct coordinator *c) {
    if (c->n_finished == 0 || c->journal.unsynced > 0 || c->journal.buffer.size > 0) return;
    for (size_t i = 0; i < c->n_finished; i++)
        checkpoint_remove(c->dir, c->f->jobs[c->finished[i]].identity);
    c->n_finished = 0;
}

static void show_progress(struct coordinator *c) {
    size_t count[QUEUE_BLOCKED + 1];
    double done, left;
    const double now = clock_now();
    if (!c->f->progress || now - c->last_progress < PROGRESS_EVERY) return;
    c->last_progress = now;
    queue_count(count, c->queue);
    queue_cost(&done, &left, c->queue);
    const struct farm_progress p = {
        .jobs = c->f->n_jobs,
        .done = count[QUEUE_DONE],
        .running = count[QUEUE_RUNNING],
        .failed = count[QUEUE_FAILED],
        .blocked = count[QUEUE_BLOCKED],
        .seconds = now - c->began,
        .eta = done > 0.0 ? left / done * (now - c->began) : -1.0,
        .fraction = done + left > 0.0 ? done / (done + left) : 0.0,
    };
    c->f->progress(&p, c->f->context);
}

enum err_code coordinator_tick(struct coordinator *c, struct err *err) {
    enum err_code rc = ERR_OK;
    coordinator_watch(c);
    leave_out_pause(c);
    watch_groups(c);   /* before a slow disk makes us deaf: who is silent is judged by letters */
    TRY(ping(c, err)); /* that have just been read */
    if (c->f->lock) TRY(lock_beat(c->f->lock, err)); /* before anything is written */
    TRY(coordinator_note_request(c, err));
    TRY(journal_tick(&c->journal, err));
    remove_checkpoints(c);
    show_progress(c);
cleanup:
    return rc;
}

/* ---------------------------------------------------------------- end */

void coordinator_outcome(struct farm_outcome *out, const struct coordinator *c) {
    size_t count[QUEUE_BLOCKED + 1];
    queue_count(count, c->queue);
    const size_t left = queue_left(c->queue) + count[QUEUE_RUNNING];
    const size_t bad = count[QUEUE_FAILED] + count[QUEUE_BLOCKED];
    *out = (struct farm_outcome){
        .jobs = c->f->n_jobs,
        .done = count[QUEUE_DONE],
        .failed = count[QUEUE_FAILED],
        .blocked = count[QUEUE_BLOCKED],
        .pending = count[QUEUE_PENDING] + count[QUEUE_RUNNING],
        .done_now = c->done_now,
        .failed_now = c->failed_now,
        .seconds = clock_now() - c->began,
        .at_once = c->leave.step == LEAVE_AT_ONCE,
        .exit_code = left > 0  ? err_exit_code(ERR_STOPPED)
                     : bad > 0 ? 1
                               : 0,
    };
}

enum err_code coordinator_end(struct coordinator *c, struct farm_outcome *out, struct err *err) {
    enum err_code rc = ERR_OK;
    char utc[32];
    const size_t n = c->past.n_attempts;
    clock_utc(utc);
    coordinator_outcome(out, c);
    out->attempt = (n ? c->past.attempts[n - 1].number : 0) + 1;
    if (c->fatal.code != ERR_OK) out->exit_code = err_exit_code(c->fatal.code);
    if (c->f->lock && !c->f->lock->held) return ERR_OK; /* the journal is somebody else's now */
    event_begin(&c->line, EVENT_END);
    event_text(&c->line, "utc", utc);
    event_integer(&c->line, "code", out->exit_code);
    event_text(&c->line, "reason", c->fatal.code != ERR_OK ? c->fatal.msg : "");
    TRY(coordinator_append_built(c, err));
    TRY(journal_sync(&c->journal, err));
    remove_checkpoints(c);
cleanup:
    return rc;
}

void coordinator_release(struct coordinator *c) {
    for (int i = 0; c->tasks && i < c->par->size; i++) {
        free(c->tasks[i].ranks);
        free(c->tasks[i].shards);
    }
    free(c->tasks);
    free(c->seats);
    free(c->checkpointed);
    free(c->finished);
    free(c->dir);
    queue_destroy(c->queue);
    job_times_destroy(c->pace);
    history_release(&c->past);
    if (c->journal.path[0]) (void)journal_close(&c->journal, NULL);
    text_release(&c->line);
    text_release(&c->hosts);
}
