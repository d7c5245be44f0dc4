/*
 * par.h - the ranks of this run: start, end, rank and size.  Only this folder calls MPI.
 *
 * A plain start is one rank and does not initialise MPI: Open MPI would write a session folder, and
 * two plain starts at once could fail in creating it.
 */
#ifndef PAR_PAR_H
#define PAR_PAR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/log.h"
#include "base/text.h"

enum par_mpi {
    PAR_MPI_AUTO, /* if par_is_launched() */
    PAR_MPI_YES,
    PAR_MPI_NO, /* one rank, whatever launched it */
};

struct par {
    int rank, size;
    int signals; /* signalfd of USR1, TERM, INT and HUP, which are blocked from par_init() on; a HUP
                  * that was ignored before (nohup) stays ignored */
    bool started;   /* MPI is initialised */
    bool launched;  /* by mpirun, which passes signals on, and kills 1 s after a TERM */
    double silence; /* seconds without a message after which a rank considers rank 0 dead; rank 0
                       considers a rank dead after twice that */
    char host[128];
};

/* The environment holds a variable of an MPI launcher: OMPI_COMM_WORLD_SIZE, PMIX_RANK, PMI_RANK,
 * PMI_SIZE, or more than one task in SLURM_STEP_NUM_TASKS. */
bool par_is_launched(void);

/* "auto", "yes" or "no" (NULL: auto); ERR_USAGE for another word. */
enum err_code par_read_mpi(enum par_mpi *mpi, const char *word, struct err *err);

/* Blocks the signals that end a run, then, if `mpi` says so, MPI_Init with MPI_ERRORS_RETURN.
 * ERR_CONFIG when srun started several tasks without a common MPI, except with PAR_MPI_NO.
 * TASKVEC_SILENCE sets p->silence (60). */
enum err_code par_init(struct par *p, enum par_mpi mpi, const struct log *log, struct err *err);

/* MPI_Finalize, if MPI was initialised, with a guard: exits with `code` after 10 s if it hangs.
 * With a code other than 0, rank 0 exits last, since mpirun kills the others then. Returns code. */
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
