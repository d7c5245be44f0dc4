#include "par/par.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "par/mpi_check.h"

enum { FINALIZE_PATIENCE = 10 }; /* seconds */

/* Before MPI_Init, so that the threads it makes inherit the mask. */
static enum err_code block_signals(struct par *p, struct err *err) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
        p->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (p->signals < 0) return ERR(err, ERR_SYSTEM, "cannot watch signals: %s", strerror(errno));
    return ERR_OK;
}

static int number_of(const char *variable) {
    const char *text = getenv(variable);
    return text ? atoi(text) : 0;
}

/* Several tasks of one srun step that do not see each other would all be rank 0. */
static enum err_code check_slurm(const struct par *p, const struct log *log, struct err *err) {
    const int tasks = number_of("SLURM_STEP_NUM_TASKS");
    if (p->size > 1 || getenv("OMPI_COMM_WORLD_SIZE") || !getenv("SLURM_PROCID")) return ERR_OK;
    if (getenv("SLURM_STEP_ID") && tasks > 1)
        return ERR(err, ERR_CONFIG,
                   "srun started %d tasks that do not see each other (each is rank 0 of 1): use "
                   "`srun --mpi=pmix` or mpirun; `srun --mpi=list` shows what this site has",
                   tasks);
    if (number_of("SLURM_NTASKS") > 1)
        log_line(log, LOG_WARNING,
                 "one rank in a Slurm job of %d tasks: start with mpirun or srun --mpi=pmix",
                 number_of("SLURM_NTASKS"));
    return ERR_OK;
}

enum err_code par_init(struct par *p, const struct log *log, struct err *err) {
    enum err_code rc = ERR_OK;
    *p = (struct par){.size = 1, .signals = -1};
    TRY(block_signals(p, err));
    TRY_MPI(MPI_Init(NULL, NULL));
    p->started = true;
    TRY_MPI(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
    TRY_MPI(MPI_Comm_rank(MPI_COMM_WORLD, &p->rank));
    TRY_MPI(MPI_Comm_size(MPI_COMM_WORLD, &p->size));
    (void)gethostname(p->host, sizeof p->host - 1);
    TRY(check_slurm(p, log, err));
cleanup:
    return rc;
}

/* A thread, not alarm(): it can carry the exit code without a global. */
static void *leave_late(void *code) {
    clock_sleep(FINALIZE_PATIENCE);
    _exit((int)(intptr_t)code);
}

int par_finish(struct par *p, int code) {
    pthread_t guard;
    if (p->started) {
        const bool guarded = pthread_create(&guard, NULL, leave_late, (void *)(intptr_t)code) == 0;
        (void)MPI_Finalize();
        if (guarded) {
            (void)pthread_cancel(guard);
            (void)pthread_join(guard, NULL);
        }
        if (p->size > 1 && p->rank == 0 && code != 0) clock_sleep(0.1); /* leaves last */
    }
    if (p->signals >= 0) close(p->signals);
    *p = (struct par){.size = 1, .signals = -1};
    return code;
}

void par_library(struct text *out) {
    char version[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int n = 0;
    if (MPI_Get_library_version(version, &n) != MPI_SUCCESS) n = 0;
    version[strcspn(version, "\n")] = '\0';
    text_add(out, "%s", n > 0 ? version : "MPI of unknown version");
}
