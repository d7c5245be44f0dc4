/*
 * message.h - what coordinator, supervisors and compute children say to each other.
 *
 * One head for every message, over MPI and over a child's socket alike, then `size` bytes.  All
 * processes are the same binary (the coordinator compares), so structs travel as they are.
 */
#ifndef PAR_MESSAGE_H
#define PAR_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

enum message_tag { TAG_COORDINATOR = 1, TAG_WORKER, TAG_GROUP }; /* who it is for */

enum message_kind {
    /* to a worker; ORDER, GROUP and STOP on to its child */
    MESSAGE_ORDER = 1,
    MESSAGE_STOP,
    MESSAGE_ABANDON, /* end the job `serial` by killing the child */
    MESSAGE_PING,
    MESSAGE_ENDING,  /* the attempt is over: no child is needed any more */
    MESSAGE_RELEASE, /* leave */
    MESSAGE_GROUP,   /* payload from group rank `from` to group rank `to` */
    MESSAGE_INBOX,   /* to a child only: a GROUP letter lies in its inbox (share.h) */
    MESSAGE_SENT,    /* to a child only: its outbox is empty */
    /* from a worker, most of them made by its child */
    MESSAGE_HELLO,      /* payload: host NUL machine NUL */
    MESSAGE_ALIVE,      /* nothing else to say for a while */
    MESSAGE_LINES,      /* payload: whole journal lines */
    MESSAGE_PROGRESS,   /* a of b */
    MESSAGE_CHECKPOINT, /* durable, at a of b */
    MESSAGE_SHARDS,     /* from group rank `from`: first a, number b */
    MESSAGE_WAITING,    /* child only: it waits for a GROUP message */
    MESSAGE_OUTBOX,     /* child only: a GROUP letter lies in its outbox */
    MESSAGE_TAKEN,      /* child only: its inbox is empty */
    MESSAGE_DONE,       /* struct message_done; a: seconds */
    MESSAGE_FAILED,     /* `code`: enum failure; payload: reason, a text without NUL */
    MESSAGE_FATAL,      /* `code`: enum err_code; not the job's fault; payload: reason */
    MESSAGE_STOPPED     /* left as asked, or abandoned; the worker is idle */
};

struct message_head {
    uint32_t kind;
    int32_t from, to, code;
    uint64_t serial; /* of the order it belongs to; they grow */
    uint64_t size;   /* bytes that follow */
    double a, b;
};

struct message_done {
    uint64_t rows, bytes;
    double share; /* of its whole work done in these seconds; 0: it went on from a checkpoint */
    int32_t artifact;
    char sha256[HASH_HEX];
};

/* Payload of an ORDER: this, int32_t ranks[group_size], then identity, dir and order text, each
 * ended by NUL. */
struct message_order {
    int32_t group_rank, group_size;
    int32_t inject;           /* enum inject_kind */
    uint64_t memory, planned; /* bytes: the budget, and what plan thought; the limit is the less */
    double hang_after;
};

enum failure { /* why a job is FAILED: the class in the journal */
               FAILURE_ERROR,
               FAILURE_NAN,
               FAILURE_OOM,
               FAILURE_SEGV,
               FAILURE_ABORT,
               FAILURE_KILL,
               FAILURE_EXIT,
               FAILURE_SIGNAL,
               FAILURE_HANG,
               FAILURE_LOST
};

const char *failure_text(enum failure f);

#endif
