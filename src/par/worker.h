/*
 * worker.h - the supervisor of one rank: passes orders to its compute child and the child's
 * messages to the coordinator, notices when the child dies or makes no progress, and starts the
 * next one.  It never computes, and never waits longer than one short sleep.
 */
#ifndef PAR_WORKER_H
#define PAR_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "par/child_pipe.h"
#include "par/child_stderr.h"
#include "par/group_relay.h"
#include "par/message.h"
#include "par/par.h"
#include "par/suspension.h"
#include "par/transport.h"

struct worker {
    struct transport *transport;
    int size;           /* ranks in all */
    double alive_every; /* seconds */
    pid_t pid;          /* 0: no child */
    struct child_pipe pipe;
    struct child_stderr errors; /* standard error of the child */
    bool busy;                  /* a task is running */
    bool waiting;               /* its child waits for a GROUP message */
    bool heard_once;            /* the coordinator has sent something */
    bool attempt_ended;         /* the coordinator has sent ATTEMPT_ENDED ... */
    bool released;              /* ... and RELEASE */
    uint64_t serial;            /* of the running task, or of the last one */
    struct message_order order; /* of that task */
    int32_t *ranks;             /* [order.group_size] world ranks of the group */
    struct group_relay relay;
    struct suspension suspension; /* of this process */
    double child_last_heard;      /* clock_now() of the child's last message, as the next three */
    double last_event;            /* anything happened here but a ping or progress */
    double last_heard;            /* from the coordinator */
    double last_report;           /* to the coordinator */
    double done, total;           /* progress that is not reported yet */
    bool progress_due;
};

void worker_init(struct worker *w, struct transport *transport, const struct par *p);
void worker_release(struct worker *w); /* ends the child */

/* A message of TAG_WORKER or TAG_GROUP. */
enum err_code worker_receive(struct worker *w, const struct message_head *head, const void *payload,
                             struct err *err);

/* Reads the messages of the child, checks that it is alive and makes progress, reports progress and
 * signs of life to the coordinator. */
enum err_code worker_tick(struct worker *w, struct err *err);

/* Sleeps until the child sends something, `most` seconds at most; less when a message is expected.
 */
void worker_sleep(const struct worker *w, double most);

void worker_drop_child(struct worker *w); /* by SIGKILL; the next order starts a new one */

#endif
