/* One attempt: how it begins, what is watched at every tick, how it ends. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "par/asan.h"
#include "par/coordinator.h"
#include "store/artifact.h"

static const double PROGRESS_EVERY = 0.5; /* seconds between two updates of the progress bar */

/* Pings per par.silence (60 s), after which a rank concludes that rank 0 is dead: five may be late.
 */
static const double PINGS = 6;

/* ---------------------------------------------------------------- begin */

static enum err_code allocate(struct coordinator *c, struct err *err) {
    const size_t size = (size_t)c->par->size, n = c->f->n_jobs ? c->f->n_jobs : 1;
    c->tasks = calloc(size, sizeof *c->tasks);
    c->ranks = calloc(size, sizeof *c->ranks);
    c->checkpointed = calloc(n, sizeof *c->checkpointed);
    c->obsolete = calloc(n, sizeof *c->obsolete);
    c->idle = calloc(size, sizeof *c->idle);
    if (!c->idle || !c->tasks || !c->ranks || !c->checkpointed || !c->obsolete)
        return ERR(err, ERR_MEMORY, "no memory for %zu jobs on %zu ranks", n, size);
    c->dir = realpath(c->f->dir, NULL);
    if (!c->dir) return ERR(err, ERR_IO, "%s: %s", c->f->dir, strerror(errno));
    for (size_t rank = 0; rank < size; rank++)
        c->ranks[rank] = (struct rank_state){.idle = true, .last_heard = clock_now()};
    c->n_idle = c->par->size;
    return ERR_OK;
}

static enum err_code make_queue(struct coordinator *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct farm *f = c->f;
    TRY(queue_create(&c->queue, f->jobs, f->n_jobs, c->par->size,
                     f->shortest_first ? QUEUE_SHORTEST : QUEUE_LONGEST, err));
    for (size_t i = 0; f->skip && i < f->n_jobs; i++)
        if (f->skip[i]) queue_set_skipped(c->queue, i);
    if (f->share_contexts)
        TRY(affinity_create(&c->affinity, f->jobs, f->n_jobs, c->par->size, (double)f->memory,
                            err));
cleanup:
    return rc;
}

static enum err_code delete_unfinished_files(struct coordinator *c, struct err *err) {
    size_t removed = 0;
    const enum err_code rc = artifact_clean(&removed, c->dir, &c->history, err);
    if (removed > 0) log_line(&c->f->log, LOG_DETAIL, "%zu unfinished files deleted", removed);
    return rc;
}

/* lost: jobs that are FAILED because too many attempts died while they ran. */
static enum err_code journal_begin(struct coordinator *c, const bool *lost, struct err *err) {
    enum err_code rc = ERR_OK;
    char why[64];
    (void)snprintf(why, sizeof why, "the attempts died %d times in a row while it ran", QUEUE_LOST);
    if (PAR_ASAN)
        log_line(&c->f->log, LOG_INFO,
                 "no memory limits of jobs: AddressSanitizer needs the address space");
    TRY(coordinator_append_attempt(c, err));
    for (size_t i = 0; i < c->f->n_jobs; i++)
        if (lost[i]) TRY(coordinator_append_failed(c, i, FAILURE_LOST, why, err));
    TRY(journal_sync(&c->journal, err));
cleanup:
    return rc;
}

static enum err_code take_history(struct coordinator *c, struct err *err) {
    if (!c->f->past) return journal_history(&c->history, c->dir, err);
    c->history = *c->f->past;
    *c->f->past = (struct history){0};
    return ERR_OK;
}

enum err_code coordinator_begin(struct coordinator *c, bool *work, struct err *err) {
    enum err_code rc = ERR_OK;
    bool *lost = calloc(c->f->n_jobs ? c->f->n_jobs : 1, sizeof *lost), any_lost = false;
    CHECK(lost, ERR_MEMORY, "no memory for %zu jobs", c->f->n_jobs);
    c->began = c->suspension.now = clock_now();
    TRY(inject_parse(&c->inject, getenv("TASKVEC_INJECT"), err));
    TRY(inject_check(&c->inject, c->f->n_jobs, err));
    TRY(allocate(c, err));
    TRY(make_queue(c, err));
    TRY(journal_open(&c->journal, c->dir, err));
    TRY(take_history(c, err));
    if (c->history.damaged > 0)
        log_line(&c->f->log, LOG_WARNING, "%s: %zu damaged lines are ignored", c->journal.path,
                 c->history.damaged);
    TRY(coordinator_set_limit(c, err));
    TRY(delete_unfinished_files(c, err));
    TRY(coordinator_resume(c, lost, err));
    for (size_t i = 0; i < c->f->n_jobs; i++) any_lost |= lost[i];
    queue_begin(c->queue);
    *work = queue_left(c->queue) > 0 || any_lost;
    if (*work) TRY(journal_begin(c, lost, err));
cleanup:
    free(lost);
    return rc;
}

/* ---------------------------------------------------------------- watch */

/* Time during which this process was suspended does not count as silence of the others, which may
 * have been suspended with it. */
static void exclude_suspension(struct coordinator *c) {
    suspension_tick(&c->suspension, clock_now());
    for (int i = 0; i < c->par->size; i++) {
        suspension_move(&c->tasks[i].last_report, &c->suspension);
        suspension_move(&c->ranks[i].last_heard, &c->suspension);
    }
}

/* A worker does not count the time during which its child waits for another rank of the group, so a
 * group whose ranks all wait for one another is detected here, after twice the limit of a single
 * job. */
static void check_groups(struct coordinator *c) {
    static const char WHY[] = "no rank of the group has made progress";
    const double most = 2 * farm_hang_after(c->f);
    for (int i = 0; i < c->par->size; i++) {
        struct task *t = &c->tasks[i];
        if (t->serial && t->group > 1 && !t->failed && c->suspension.now - t->last_report > most)
            coordinator_fail_task(c, t, -1, FAILURE_HANG, WHY, strlen(WHY));
    }
}

/* A ping shows a rank that rank 0 is alive. Rank 0 considers a rank dead after 2 * par.silence, and
 * a rank considers rank 0 dead after par.silence, so that every rank exits if the network is cut.
 */
static enum err_code ping(struct coordinator *c, struct err *err) {
    enum err_code rc = ERR_OK;
    const struct message_head head = {.kind = MESSAGE_PING};
    const double now = c->suspension.now;
    if (now - c->last_ping < c->par->silence / PINGS) return ERR_OK;
    c->last_ping = now;
    for (int rank = 1; rank < c->par->size; rank++) {
        CHECK(now - c->ranks[rank].last_heard < 2 * c->par->silence, ERR_MPI,
              "rank %d has been silent for %.0f s: the attempt ends, the same command resumes it",
              rank, now - c->ranks[rank].last_heard);
        TRY(transport_send(c->transport, rank, TAG_WORKER, &head, NULL, err));
    }
cleanup:
    return rc;
}

/* A checkpoint is deleted only once the DONE line of its job is on the disk. */
static void remove_checkpoints(struct coordinator *c) {
    if (c->n_obsolete == 0 || c->journal.unsynced > 0 || c->journal.buffer.size > 0) return;
    for (size_t i = 0; i < c->n_obsolete; i++)
        checkpoint_remove(c->dir, c->f->jobs[c->obsolete[i]].identity);
    c->n_obsolete = 0;
}

/* After a request to stop there is nothing to expect: jobs that have stopped are pending again, and
 * the shown part would fall. */
static void report_progress(struct coordinator *c) {
    size_t count[QUEUE_BLOCKED + 1];
    double done, left;
    const double now = clock_now();
    if (!c->f->progress || now - c->last_progress < PROGRESS_EVERY) return;
    if (c->stop.step >= STOP_REQUESTED) return;
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
    coordinator_check_stop(c);
    exclude_suspension(c);
    /* Silence is checked first, right after the messages were read: after a slow write below, ranks
     * whose messages are waiting would look silent. */
    check_groups(c);
    TRY(ping(c, err));
    if (c->f->lock) TRY(lock_beat(c->f->lock, err)); /* before anything is written */
    TRY(coordinator_append_signal(c, err));
    TRY(journal_tick(&c->journal, err));
    remove_checkpoints(c);
    report_progress(c);
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
        .at_once = c->stop.step == STOP_AT_ONCE,
        .exit_code = err_worse_exit(bad > 0 ? EXIT_FAILED : EXIT_DONE,
                                    left > 0 ? EXIT_WORK_REMAINS : EXIT_DONE),
    };
}

enum err_code coordinator_end(struct coordinator *c, struct farm_outcome *out, struct err *err) {
    enum err_code rc = ERR_OK;
    const size_t n = c->history.n_attempts;
    coordinator_outcome(out, c);
    out->attempt = (n ? c->history.attempts[n - 1].number : 0) + 1;
    out->exit_code = err_worse_exit(out->exit_code, err_exit_code(c->fatal.code));
    if (c->f->lock && !c->f->lock->held) return ERR_OK; /* another process writes the journal now */
    TRY(coordinator_append_end(c, out->exit_code, err));
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
    free(c->ranks);
    free(c->checkpointed);
    free(c->obsolete);
    free(c->idle);
    free(c->dir);
    queue_destroy(c->queue);
    affinity_destroy(c->affinity);
    job_times_destroy(c->job_times);
    history_release(&c->history);
    if (c->journal.path[0]) (void)journal_close(&c->journal, NULL);
    text_release(&c->line);
    text_release(&c->hosts);
}
