/*
 * message.h - the messages between coordinator, workers (the supervisors of the ranks) and compute
 * children.
 *
 * Every message is one head, then `size` bytes of payload, over MPI and over a child's socket
 * alike. All processes run the same binary (the coordinator compares builds), so structs are sent
 * as they are in memory.
 */
#ifndef PAR_MESSAGE_H
#define PAR_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

enum message_tag { TAG_COORDINATOR = 1, TAG_WORKER, TAG_GROUP }; /* the receiver */

enum message_kind {
    /* to a worker; ORDER, GROUP and STOP are passed on to its child */
    MESSAGE_ORDER = 1,     /* compute a job; payload: struct message_order and what follows it */
    MESSAGE_STOP,          /* write a checkpoint and stop; answered by STOPPED, or DONE if sooner */
    MESSAGE_ABANDON,       /* kill the child if it works on task `serial`; answered by STOPPED */
    MESSAGE_PING,          /* rank 0 is alive */
    MESSAGE_ATTEMPT_ENDED, /* no more jobs: end the child; rank 0 writes results.h5 */
    MESSAGE_RELEASE,       /* exit */
    MESSAGE_GROUP,         /* payload from group rank `from` to group rank `to` */

    /* to a child only */
    MESSAGE_INBOX_FULL,   /* a GROUP message lies in its inbox (shared_memory.h) */
    MESSAGE_OUTBOX_EMPTY, /* it may fill its outbox */

    /* to the coordinator, most of them written by a child and passed on by its worker */
    MESSAGE_HELLO,      /* payload: host NUL machine NUL */
    MESSAGE_ALIVE,      /* sent when there was nothing else to send for a while */
    MESSAGE_LINES,      /* payload: whole journal lines */
    MESSAGE_PROGRESS,   /* a of b done */
    MESSAGE_CHECKPOINT, /* a checkpoint is on the disk, at a of b */
    MESSAGE_SHARDS,     /* group rank `from` computes b shards from shard a on */

    /* to its worker only, from a child */
    MESSAGE_WAITING,     /* it waits for a GROUP message: no progress is expected */
    MESSAGE_OUTBOX_FULL, /* a GROUP message lies in its outbox */
    MESSAGE_INBOX_EMPTY, /* its inbox may be filled */

    /* to the coordinator: the end of a task on this rank; the worker is idle */
    MESSAGE_DONE,   /* payload: struct message_done; a: seconds of computing */
    MESSAGE_FAILED, /* the job failed; `code`: enum failure; payload: reason, a text without NUL */
    MESSAGE_FATAL,  /* a system error; `code`: enum err_code; payload: reason */
    MESSAGE_STOPPED /* stopped as asked, or abandoned */
};

struct message_head {
    uint32_t kind;
    int32_t from, to, code;
    uint64_t serial; /* of the task it belongs to; increasing */
    uint64_t size;   /* bytes of payload */
    double a, b;
};

struct message_done {
    uint64_t rows, bytes;
    uint64_t contexts_found, contexts_made; /* of those that the job shares with others */
    double cpu;   /* processor seconds of this rank, where DONE has seconds of computing */
    double share; /* of the whole job, done in these seconds; 0: it resumed from a checkpoint */
    int32_t artifact;
    char sha256[HASH_HEX];
};

/* Payload of an ORDER: this, int32_t ranks[group_size], then identity, directory of the run and
 * order text, each ended by NUL. */
struct message_order {
    int32_t group_rank, group_size;
    int32_t inject; /* enum inject_kind */
    uint64_t memory,
        planned;             /* bytes: budget of the rank, peak by plan; the limit is the smaller */
    uint64_t context_bytes;  /* part of `planned`: contexts that may lie in the cache */
    double hang_after;       /* seconds */
    char contexts[HASH_HEX]; /* key of contexts that a later job may read too; "": none */
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
