/*
 * coordinator.h - rank 0's side of the farm: who works on what, and what is written to the journal.
 *
 * One task is one job in work by a group of ranks.  Reports come in any order and from any moment;
 * each names the serial of the order it belongs to, so that what is late is known to be late.
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
#include "sched/job_times.h"
#include "sched/queue.h"

struct task {
    uint64_t serial; /* 0: free */
    size_t job;
    int group, left;           /* ranks, and those that have not yet ended */
    int32_t *ranks;            /* [group] */
    double *shards;            /* [group, 2]: first, number; number 0: not told */
    bool done, failed, let_go; /* rank 0 of the group is done; one failed; one stopped */
    enum failure why;
    char reason[512];
    struct message_done end;
    double seconds, last_report;
};

struct seat {        /* one a rank */
    uint64_t serial; /* of its last order */
    bool idle;
    double last_heard;
};

/* How far the attempt has come in leaving before its work is done. It only goes on, and may leave
 * steps out:
 *
 *     step             begun by                            what happens then
 *     LEAVE_NOT                                            jobs are handed out
 *     LEAVE_SPARING    the time limit is near              no more of that; jobs in work that leave
 *                                                          checkpoints are asked to
 *     LEAVE_ASKED      a signal, a fault of the machine,   all jobs in work are asked to
 *                      or no job fits the time left
 *     LEAVE_ABANDONED  the patience with them is over      their children are killed
 *     LEAVE_AT_ONCE    a second signal                     nobody is waited for
 */
enum leave_step { LEAVE_NOT, LEAVE_SPARING, LEAVE_ASKED, LEAVE_ABANDONED, LEAVE_AT_ONCE };

struct leave {
    enum leave_step step;
    double since;     /* when it was LEAVE_NOT no more */
    double signalled; /* the first signal; 0: none */
    int request;      /* that signal, until the journal has it */
};

struct limit {      /* moments of clock_now(), INFINITY for no limit */
    double end;     /* the attempt is to have left */
    double stop_at; /* jobs are asked to leave for it */
    double left;    /* seconds until then, when it was last asked who is next */
};

struct coordinator {
    const struct farm *f;
    struct par *par;
    struct transport *mail;
    struct queue *queue;
    struct job_times *pace;
    struct journal journal;
    struct history past;
    struct inject inject;
    struct task *tasks; /* [size] */
    struct seat *seats; /* [size] */
    bool *checkpointed; /* [jobs]: a checkpoint lies on the disk */
    size_t *finished;   /* DONE jobs whose checkpoints are to go once their lines are synced */
    size_t n_finished;
    int n_idle, n_running;
    uint64_t serial;
    struct leave leave;
    struct limit limit;
    double began, last_ping, last_progress;
    struct suspension pause; /* of our own */
    char *dir;               /* absolute */
    struct text hosts;       /* of all ranks in their order: "node1*4 node2*4" */
    pid_t *own_child;
    struct text line;
    size_t done_now, failed_now;
    struct err fatal; /* code ERR_OK: none */
};

/* Reads what earlier attempts left, sets the queue, cleans up, begins the attempt's journal lines.
 * *work: whether there is anything to do; if not, no attempt is journaled. */
enum err_code coordinator_begin(struct coordinator *c, bool *work, struct err *err);

/* The states as they are. */
void coordinator_outcome(struct farm_outcome *out, const struct coordinator *c);

/* Journals the end of the attempt; fills *out in any case. */
enum err_code coordinator_end(struct coordinator *c, struct farm_outcome *out, struct err *err);
void coordinator_release(struct coordinator *c); /* for {0} too */

/* A message of TAG_COORDINATOR from `rank`. An error is the end of the attempt. */
enum err_code coordinator_hear(struct coordinator *c, int rank, const struct message_head *head,
                               const void *payload, struct err *err);

/* Hands out what can be handed out. */
enum err_code coordinator_dispatch(struct coordinator *c, struct err *err);

/* Takes a job into work in this process: its order, serial and fault. */
enum err_code coordinator_begin_here(struct coordinator *c, size_t job, struct text *order,
                                     uint64_t *serial, enum inject_kind *fault, struct err *err);

/* Tells the queue what earlier attempts left; lost [n_jobs]: it has died too often. */
enum err_code coordinator_set_past(struct coordinator *c, bool *lost, struct err *err);

/* Reads the time limit, and what the jobs of earlier attempts took. */
enum err_code coordinator_set_limit(struct coordinator *c, struct err *err);

/* The job to start now, on so many ranks: one that can be finished in the time left, or come to a
 * checkpoint. False: none; the attempt is then told to leave if nothing runs any more. */
bool coordinator_next(size_t *job, int *group, struct coordinator *c);

/* A job on `group` ranks took `seconds`, in which `share` of its work was done (0: not told). */
void coordinator_learn(struct coordinator *c, size_t job, int group, double seconds, double share,
                       bool checkpointed);

/* Signals, the time limit, and the patience with those asked to leave. */
void coordinator_watch(struct coordinator *c);

/* Seconds that jobs asked to leave at `asked` (clock_now()) are given for a checkpoint. */
double coordinator_patience(const struct coordinator *c, double asked);

/* A launcher may kill before the end is journaled: so the request is, at once. */
enum err_code coordinator_note_request(struct coordinator *c, struct err *err);

/* coordinator_watch(), the journal, signs of life, silent ranks and groups, the bar. */
enum err_code coordinator_tick(struct coordinator *c, struct err *err);

/* Nothing runs and nothing more is to be handed out, or there is no time left to wait for it. */
bool coordinator_is_through(const struct coordinator *c);

/* One whole line to the journal; then the faults ordered for that line. */
enum err_code coordinator_append(struct coordinator *c, const char *line, size_t size,
                                 struct err *err);

/* c->line, begun with event_begin(), to the journal. */
enum err_code coordinator_append_built(struct coordinator *c, struct err *err);

/* Nothing more is handed out, and the jobs in work are asked to leave: all (LEAVE_ASKED), or those
 * that leave checkpoints (LEAVE_SPARING). */
void coordinator_stop(struct coordinator *c, enum leave_step step);

/* Fails the job of a task and ends it on all ranks of its group but `rank` (-1: on all). */
void coordinator_fail(struct coordinator *c, struct task *t, int rank, enum failure why,
                      const char *reason, size_t size);

/* Ends a task on all ranks of its group but `rank`. */
void coordinator_abandon(struct coordinator *c, struct task *t, int rank);

#endif
