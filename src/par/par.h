/*
 * par.h - the ranks of this run: start, end, who am I.  The only floor that speaks MPI.
 *
 * A plain start is one rank; mpirun and srun take the same words.
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
    int signals; /* signalfd of USR1, TERM, INT and HUP, blocked from par_init() on; a HUP that was
                  * ignored before (nohup) stays so */
    bool started;
    bool launched;  /* by mpirun, which passes signals on, and kills 1 s after a TERM */
    double silence; /* seconds without a word after which rank 0 is given up; a rank after twice */
    char host[128];
};

/* Blocks the signals that end a run, then MPI_Init with MPI_ERRORS_RETURN. ERR_CONFIG when srun
 * started several tasks that do not see each other. TASKVEC_SILENCE sets p->silence (60). */
enum err_code par_init(struct par *p, const struct log *log, struct err *err);

/* MPI_Finalize with a guard: leaves with exit code `code` after 10 s if it hangs. The coordinator
 * leaves last. Returns code. */
int par_finish(struct par *p, int code);

/* In place of par_finish() where a rank is lost: MPI_Finalize would wait for it. The launcher ends
 * the others. Returns code. */
int par_abandon(struct par *p, int code);

/* ---- for benches on several ranks. Collective; the wait takes naps of 50 us to 1 ms, so a rank
 * that came early leaves its core to the others. Outside farm_run() and farm_serve(), where ranks
 * do not walk in step. */

/* Returns once every rank has come here, up to about 1 ms a round of messages late. */
enum err_code par_barrier(struct par *p, struct err *err);

/* all [size, n] on rank 0: row r is rank r's mine [n]; elsewhere `all` is not touched and may be
 * NULL. The same n on every rank; ERR_DATA where it does not fit an MPI count. */
enum err_code par_gather(struct par *p, double *all, const double *mine, size_t n, struct err *err);

/* From here on a signal ends this process as it would any other: for work that never asks. */
void par_leave_signals(struct par *p);

void par_library(struct text *out); /* "Open MPI v4.1.4, ..." in one line; before or after init */

#endif
