/*
 * par.h - the ranks of this run: start, end, rank and size.  Only this folder calls MPI.
 *
 * A plain start is one rank; mpirun and srun take the same arguments.
 */
#ifndef PAR_PAR_H
#define PAR_PAR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/log.h"
#include "base/text.h"

struct par {
    int rank, size;
    int signals; /* signalfd of USR1, TERM, INT and HUP, which are blocked from par_init() on; a HUP
                  * that was ignored before (nohup) stays ignored */
    bool started;
    bool launched;  /* by mpirun, which passes signals on, and kills 1 s after a TERM */
    double silence; /* seconds without a message after which a rank considers rank 0 dead; rank 0
                       considers a rank dead after twice that */
    char host[128];
};

/* Blocks the signals that end a run, then MPI_Init with MPI_ERRORS_RETURN. ERR_CONFIG when srun
 * started several tasks that do not see each other. TASKVEC_SILENCE sets p->silence (60). */
enum err_code par_init(struct par *p, const struct log *log, struct err *err);

/* MPI_Finalize with a guard: exits with `code` after 10 s if it hangs. With a code other than 0,
 * rank 0 exits last, since mpirun kills the others then. Returns code. */
int par_finish(struct par *p, int code);

/* In place of par_finish() where a rank is lost: MPI_Finalize would wait for it. The launcher ends
 * the others. Returns code. */
int par_abandon(struct par *p, int code);

/* ---- for benchmarks on several ranks. Collective; a rank that waits sleeps for 50 us to 1 ms at a
 * time, which leaves its core to the others. Not within farm_run() and farm_serve(), where ranks do
 * not call in the same order. */

/* Returns once every rank has called it, up to about 1 ms late for each round of messages. */
enum err_code par_barrier(struct par *p, struct err *err);

/* all [size, n] on rank 0: row r is `mine` [n] of rank r; on other ranks `all` is not used and may
 * be NULL. The same n on every rank; ERR_DATA where it does not fit an MPI count. */
enum err_code par_gather(struct par *p, double *all, const double *mine, size_t n, struct err *err);

/* From here on a signal ends this process by its default action: for work that never checks. */
void par_leave_signals(struct par *p);

void par_library(struct text *out); /* "Open MPI v4.1.4, ..." in one line; before or after init */

#endif
