/*
 * farm.h - hands the jobs of a plan to all ranks and writes their results to the journal.
 *
 * Every rank has a supervisor (worker.h: calls MPI, polls, never computes) and a compute child
 * (child.c: computes, never calls MPI), a process of the same binary started as `taskvec --child
 * FD`. When a child crashes, its job fails, but the rank continues with a new child. Rank 0 is also
 * the coordinator (coordinator.h).
 *
 *     rank 0                                   other ranks
 *     par_init                                 par_init
 *     plan, lock                               farm_serve   (until released)
 *     farm_run       -> outcome                  .
 *     publish results.h5                         .
 *     farm_release   (also after any error)      .
 *     par_finish(code)                         par_finish(0)
 */
#ifndef PAR_FARM_H
#define PAR_FARM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "job/job.h"
#include "job/planned_job.h"
#include "journal/history.h"
#include "par/par.h"
#include "store/lock.h"

struct farm_field {
    const char *name, *value;
};

struct farm_progress { /* for a bar; about twice a second */
    size_t jobs, done, running, failed, blocked;
    double seconds;  /* since the start of this attempt */
    double eta;      /* seconds still to go by the costs done so far; < 0: not known yet */
    double fraction; /* of the whole cost, running jobs included */
};

/* Computes one job in the child: parses the order, fills ctx->point, seed, control and inputs, runs
 * the stage. ctx comes with host, identity, memory and group filled. */
typedef enum err_code farm_compute(const char *order, struct job_ctx *ctx, void *context,
                                   struct err *err);

struct farm {
    const char *dir;                /* exists */
    const struct planned_job *jobs; /* line i of the plan is jobs[i]; not owned */
    size_t n_jobs;
    const bool
        *skip; /* [n_jobs]: left out of this attempt (--only), counted as pending; NULL: none */
    const struct farm_field *provenance; /* of the attempt line: build, core, slurm, argv, ... */
    size_t n_provenance;
    const char *machine; /* build and BLAS core of this rank, as given to farm_serve() */
    size_t memory;       /* bytes a job may use on a rank: ctx->memory */
    double end;          /* clock_now() by which the run must have exited; 0: none */
    double hang_after;   /* seconds without progress(); 0: 600 */
    bool retry_failed, in_process;
    bool share_contexts;  /* a rank keeps the contexts of its last jobs for later ones */
    bool shortest_first;  /* instead of longest first; for tests */
    struct lock *lock;    /* kept alive; NULL: none */
    struct history *past; /* the journal, read under that lock; moved from. NULL: it is read */
    struct log log;
    void *context; /* of the four below */
    /* Writes the order of a job: the text that farm_compute reads, opaque here. Called when the job
     * is dispatched, so all its parents are done. */
    enum err_code (*order)(struct text *out, size_t job, void *context, struct err *err);
    void (*progress)(const struct farm_progress *p, void *context); /* NULL: none */
    farm_compute *compute;                                          /* for in_process only */
    void *compute_context;
};

struct farm_outcome {
    size_t jobs, done, failed, blocked, pending;
    size_t done_now, failed_now; /* in this attempt */
    size_t attempt;              /* number of this attempt; 0: nothing was to be done */
    double seconds;
    bool at_once;  /* stopped by a second signal: results.h5 is not written */
    int exit_code; /* by the states of the jobs and the error that ended the attempt */
};

/* Rank 0. Compares the machines of all ranks (ERR_CONFIG if they differ), deletes what earlier
 * attempts left unfinished, runs what is not done, journals the end. ERR_IO, ERR_MPI, ERR_SYSTEM:
 * the attempt ended early with the journal intact; *out is filled all the same. With nothing to do
 * no attempt is journaled. */
enum err_code farm_run(const struct farm *f, struct par *p, struct farm_outcome *out,
                       struct err *err);

/* Other ranks: work until released. `machine`: build and BLAS core, compared on rank 0. ERR_MPI
 * when rank 0 has sent nothing for par.silence seconds. */
enum err_code farm_serve(struct par *p, const char *machine, const struct log *log,
                         struct err *err);

/* Rank 0, always and last: the other ranks may exit. Needs no farm_run() before. */
void farm_release(struct par *p);

/* f->hang_after, or its default. */
double farm_hang_after(const struct farm *f);

/* main() of the compute child: `taskvec --child FD`. Returns the exit code. */
int farm_child(int fd, farm_compute *compute, void *context);

#endif
