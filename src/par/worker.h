/*
 * worker.h - the supervisor of one rank: passes orders to its compute child, passes on what the
 * child says, notices its death or silence, starts the next one.  It never computes and never
 * waits for anything but a short nap.
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
    struct transport *mail;
    int size;           /* ranks in all */
    double alive_every; /* seconds */
    pid_t pid;          /* 0: no child */
    struct child_pipe pipe;
    struct child_stderr words; /* of the child */
    bool busy, waiting;        /* a job is in work; its child waits for a GROUP message */
    bool met;                  /* the coordinator has said a word */
    bool ended, released;      /* told so by the coordinator */
    uint64_t serial;           /* of the order in work, or of the last one */
    struct message_order o;    /* its head */
    int32_t *ranks;            /* [o.group_size] world ranks of the group */
    struct group_relay relay;  /* of GROUP messages */
    struct suspension pause;   /* of our own */
    double last_life;          /* of the child */
    double last_news;          /* anything happened here but pings */
    double last_heard;         /* from the coordinator */
    double last_said;          /* to the coordinator */
    double done, total;        /* progress not yet told */
    bool progress_due;
};

void worker_init(struct worker *w, struct transport *mail, const struct par *p);
void worker_release(struct worker *w); /* ends the child */

/* A message of TAG_WORKER or TAG_GROUP. */
enum err_code worker_hear(struct worker *w, const struct message_head *head, const void *payload,
                          struct err *err);

/* The child: what it says, whether it lives; progress and signs of life to the coordinator. */
enum err_code worker_tick(struct worker *w, struct err *err);

/* Sleeps until the child speaks, `most` seconds at most, less when something is to be expected. */
void worker_nap(const struct worker *w, double most);

void worker_drop_child(struct worker *w); /* by SIGKILL; the next order starts a new one */

#endif
