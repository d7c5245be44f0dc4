/*
 * coordinator.h - rank 0's side of the farm: which ranks work on which job, and what is written to
 * the journal.
 *
 * The life of a task (one job that a group of ranks is running):
 *
 *     dispatch   the queue names a job and a number of ranks; START is journaled, each rank of the
 *                group gets an ORDER with the serial number of the task
 *     work       LINES, CHECKPOINT, SHARDS and PROGRESS come in, are journaled or remembered
 *     end        each rank of the group ends once: DONE, FAILED, FATAL or STOPPED; after the last
 *                of them the result (DONE, FAILED or STOPPED) is journaled and passed to the queue
 *
 * Messages arrive in any order and at any time.  Each names the serial of the task it belongs to; a
 * message that names no running task is late and is ignored.
 *
 * The files, one for each thing the coordinator does:
 *
 *     coordinator_attempt    how an attempt begins, what is watched at every tick, how it ends
 *     coordinator_resume     which jobs are done already, according to the journal
 *     coordinator_dispatch   a job and its ranks: START and the orders
 *     coordinator_receive    what each message of a rank does to its task
 *     coordinator_tasks      begin, failure and end of a task
 *     coordinator_stop       signals and time limit: who is asked to stop, how long that may take
 *     coordinator_time       how long jobs take, and which may still start before the time limit
 *     coordinator_journal    lines of the journal
 *     coordinator_faults     faults injected into rank 0 (inject.h), for tests
 */
#ifndef PAR_COORDINATOR_H
#define PAR_COORDINATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "journal/history.h"
#include "journal/journal.h"
#include "par/farm.h"
#include "par/inject.h"
#include "par/message.h"
#include "par/suspension.h"
#include "par/transport.h"
#include "sched/affinity.h"
#include "sched/job_times.h"
#include "sched/queue.h"

struct task {
    uint64_t serial; /* of its orders, increasing; 0: this slot is free */
    size_t job;      /* line of the plan */
    int group;       /* how many ranks work on it */
    int unfinished;  /* how many of them have not ended yet */
    int32_t *ranks;  /* [group] world ranks, in the order of the group */
    double *shards;  /* [group, 2]: first shard and number of shards; number 0: not reported */
    bool done;       /* rank 0 of the group is done */
    bool stopped;    /* a rank ended without a result and without a failure: pending again */
    bool failed;     /* a rank failed; the first failure counts */
    enum failure failure;
    char reason[512]; /* of that failure */
    struct message_done result;
    double seconds;     /* of computing, by rank 0 of the group */
    double last_report; /* clock_now() of the last message of this task */
};

struct rank_state {
    uint64_t serial;   /* of its last order */
    bool idle;         /* no task, or its part has ended */
    double last_heard; /* clock_now() of its last message */
};

/* How an attempt ends before its work is done. A later step may follow any earlier one:
 *
 *     step              begun by                   what happens
 *     STOP_NONE                                    jobs are dispatched
 *     STOP_TIME_LIMIT   the time limit is near     no job is dispatched; running jobs that write
 *                                                  checkpoints are asked to stop
 *     STOP_REQUESTED    a signal, a system error,  no job is dispatched; all running jobs are asked
 *                       or no job fits into the    to stop
 *                       time left
 *     STOP_ABANDON      the grace period is over   the compute children are killed
 *     STOP_AT_ONCE      a second signal            the attempt ends without waiting for anything
 */
enum stop_step { STOP_NONE, STOP_TIME_LIMIT, STOP_REQUESTED, STOP_ABANDON, STOP_AT_ONCE };

struct stop_state {
    enum stop_step step;
    double since;         /* clock_now() when step first left STOP_NONE */
    double first_signal;  /* clock_now() of the first signal; 0: none */
    int signal_unwritten; /* that signal, until it is journaled; 0: none */
};

struct attempt_limit {   /* times of clock_now(); INFINITY: no limit */
    double end;          /* the process must have exited */
    double stop_at;      /* jobs are asked to stop */
    double seconds_left; /* until stop_at, when a job was last looked for */
};

struct coordinator {
    const struct farm *f;
    struct par *par;
    struct transport *transport;
    pid_t *own_child; /* process id of rank 0's compute child; 0: none. For injected faults */

    struct queue *queue;
    struct job_times *job_times;
    struct affinity *affinity; /* NULL: contexts are not shared */
    bool *idle;                /* [size] as in ranks[].idle, for the queue */
    struct history history;    /* of earlier attempts */
    struct task *tasks;        /* [size] */
    struct rank_state *ranks;  /* [size] */
    int n_idle, n_running;     /* idle ranks; running tasks */
    uint64_t serial;           /* of the newest task */
    bool *checkpointed;        /* [jobs]: a checkpoint is on disk */
    size_t *obsolete;          /* DONE jobs whose checkpoints are deleted at the next sync */
    size_t n_obsolete;
    size_t done_now, failed_now; /* jobs in this attempt */

    struct journal journal;
    struct text line;  /* the journal line being built */
    char *dir;         /* of the run, absolute */
    struct text hosts; /* of all ranks in their order: "node1*4 node2*4" */

    struct stop_state stop;
    struct attempt_limit limit;
    double began, last_ping, last_progress; /* clock_now() */
    struct suspension suspension;           /* of this process */
    struct inject inject;
    struct err fatal; /* a system error that ends the attempt; ERR_OK: none */
};

/* ---- coordinator_attempt.c */

/* Reads what earlier attempts left, fills the queue, deletes unfinished files, writes the first
 * journal lines of the attempt. *work: whether there is anything to do; if not, no attempt is
 * journaled. */
enum err_code coordinator_begin(struct coordinator *c, bool *work, struct err *err);

/* Called in every loop: handles stop requests, silent ranks and groups, heartbeats, lock, journal,
 * progress bar. ERR_MPI: a rank has been silent for too long. */
enum err_code coordinator_tick(struct coordinator *c, struct err *err);

/* Counts the jobs in each state. */
void coordinator_outcome(struct farm_outcome *out, const struct coordinator *c);

/* Journals the end of the attempt. Fills *out in any case. */
enum err_code coordinator_end(struct coordinator *c, struct farm_outcome *out, struct err *err);
void coordinator_release(struct coordinator *c); /* for {0} too */

/* ---- coordinator_resume.c */

/* Sets in the queue which jobs are done or failed. lost [n_jobs]: the job is FAILED because too
 * many attempts in a row died while it ran. */
enum err_code coordinator_resume(struct coordinator *c, bool *lost, struct err *err);

/* ---- coordinator_dispatch.c */

/* The key of the contexts that the rank is to look for and to keep, or ""; and how many bytes of
 * the job's planned peak they are. */
const char *coordinator_contexts(const struct coordinator *c, size_t job, int rank);
size_t coordinator_context_bytes(const struct coordinator *c, size_t job);

/* Dispatches jobs while there are any for the idle ranks. */
enum err_code coordinator_dispatch(struct coordinator *c, struct err *err);

/* Starts a job in this process: its order text, serial and injected fault, for farm.in_process. */
enum err_code coordinator_start_in_process(struct coordinator *c, size_t job, struct text *order,
                                           uint64_t *serial, enum inject_kind *fault,
                                           struct err *err);

/* ---- coordinator_receive.c */

/* A message of TAG_COORDINATOR from `rank`. An error ends the attempt. */
enum err_code coordinator_receive(struct coordinator *c, int rank, const struct message_head *head,
                                  const void *payload, struct err *err);

/* ---- coordinator_tasks.c */

/* A task for the job on `group` idle ranks; NULL with ERR_MEMORY. */
struct task *coordinator_begin_task(struct coordinator *c, size_t job, int group, struct err *err);
struct task *coordinator_find_task(struct coordinator *c, uint64_t serial); /* NULL: not running */

void coordinator_list_idle(struct coordinator *c); /* in c->idle */

/* Fails a task and abandons it on all ranks but `rank` (-1: on all). reason: `size` bytes. */
void coordinator_fail_task(struct coordinator *c, struct task *t, int rank, enum failure failure,
                           const char *reason, size_t size);

/* Kills the compute children of a task on all its ranks but `rank` (-1: on all). */
void coordinator_abandon_task(struct coordinator *c, struct task *t, int rank);

/* Called when all ranks of the task have ended: journals DONE, FAILED or STOPPED, updates the queue
 * and frees the task. */
enum err_code coordinator_end_task(struct coordinator *c, struct task *t, struct err *err);

/* ---- coordinator_stop.c */

/* Ends the dispatch of jobs and asks running jobs to stop: all of them (STOP_REQUESTED), or those
 * that write checkpoints (STOP_TIME_LIMIT). */
void coordinator_request_stop(struct coordinator *c, enum stop_step step);

/* Reads signals and the clock; abandons the running jobs when the grace period is over. */
void coordinator_check_stop(struct coordinator *c);

/* Seconds that jobs asked to stop at `asked` (clock_now()) get for their checkpoints. */
double coordinator_grace_period(const struct coordinator *c, double asked);

/* No job is running and none will be dispatched, or there is no time left to wait. */
bool coordinator_is_finished(const struct coordinator *c);

/* ---- coordinator_time.c */

/* Reads the time limit, and from the journal how long jobs of earlier attempts took. */
enum err_code coordinator_set_limit(struct coordinator *c, struct err *err);

/* The job to start now and its number of ranks: one that can be finished, or reach a checkpoint, in
 * the time left. False: there is none; if no job is running either, the attempt is asked to
 * stop. */
bool coordinator_next_job(size_t *job, int *group, struct coordinator *c);

struct job_record { /* how a job went */
    int group;      /* ranks */
    double seconds; /* on each of them, for the fraction `share` of its work; 0: not known */
    double share;
    size_t found, made; /* contexts, of those that it shares */
    bool checkpointed;
};
void coordinator_record_time(struct coordinator *c, size_t job, const struct job_record *r);

/* ---- coordinator_journal.c */

/* One whole line to the journal, with the fault injected at that line, if any. */
enum err_code coordinator_append(struct coordinator *c, const char *line, size_t size,
                                 struct err *err);
enum err_code coordinator_append_lines(struct coordinator *c, const char *lines, size_t size,
                                       struct err *err);

/* c->line, begun by event_begin(), to the journal. */
enum err_code coordinator_append_built(struct coordinator *c, struct err *err);

enum err_code coordinator_append_attempt(struct coordinator *c, struct err *err);
enum err_code coordinator_append_end(struct coordinator *c, int exit_code, struct err *err);
enum err_code coordinator_append_start(struct coordinator *c, const struct task *t,
                                       struct err *err);
enum err_code coordinator_append_checkpoint(struct coordinator *c, const struct task *t,
                                            double done, double total, struct err *err);
enum err_code coordinator_append_done(struct coordinator *c, const struct task *t, struct err *err);
enum err_code coordinator_append_failed(struct coordinator *c, size_t job, enum failure failure,
                                        const char *reason, struct err *err);
enum err_code coordinator_append_stopped(struct coordinator *c, const struct task *t,
                                         struct err *err);

/* The signal that asked for the stop, written and flushed at once: a launcher may kill this process
 * before the end of the attempt is journaled. */
enum err_code coordinator_append_signal(struct coordinator *c, struct err *err);

#endif
