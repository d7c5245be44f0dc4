#include "par/par.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "par/asan.h"
#include "par/mpi_check.h"

enum { FINALIZE_TIMEOUT = 10 };                                            /* seconds */
static const double SLEEP_LEAST = 5e-5, SLEEP_MOST = 1e-3, SILENCE = 60.0; /* seconds */

static const int STOP_SIGNALS[] = {SIGUSR1, SIGTERM, SIGINT, SIGHUP};

/* Runs in a thread that a library started before main() and that blocks no signals (OpenBLAS has
 * one): sends the signal to the main thread, where it is blocked and read from the signalfd. */
static void pass_on(int number) {
    const int before = errno;
    (void)syscall(SYS_tgkill, getpid(), getpid(), number);
    errno = before;
}

/* HUP is ignored under nohup, for a run that must outlive its terminal. */
static bool is_ignored(int number) {
    struct sigaction before;
    return sigaction(number, NULL, &before) == 0 && before.sa_handler == SIG_IGN;
}

/* Before MPI_Init, so that the threads it starts inherit the mask. SIGPIPE is ignored: a run
 * continues when the reader of its output is gone, as with a closed terminal. */
static enum err_code block_signals(struct par *p, struct err *err) {
    const struct sigaction action = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
    sigset_t set;
    sigemptyset(&set);
    (void)signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof STOP_SIGNALS / sizeof *STOP_SIGNALS; i++) {
        if (STOP_SIGNALS[i] == SIGHUP && is_ignored(SIGHUP)) continue;
        sigaddset(&set, STOP_SIGNALS[i]);
        (void)sigaction(STOP_SIGNALS[i], &action, NULL);
    }
    if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
        p->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (p->signals < 0) return ERR(err, ERR_SYSTEM, "cannot watch signals: %s", strerror(errno));
    return ERR_OK;
}

void par_leave_signals(struct par *p) {
    sigset_t set;
    sigemptyset(&set);
    (void)signal(SIGPIPE, SIG_DFL);
    for (size_t i = 0; i < sizeof STOP_SIGNALS / sizeof *STOP_SIGNALS; i++) {
        sigaddset(&set, STOP_SIGNALS[i]);
        if (!is_ignored(STOP_SIGNALS[i])) (void)signal(STOP_SIGNALS[i], SIG_DFL);
    }
    if (p->signals >= 0) close(p->signals);
    p->signals = -1;
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static enum err_code read_silence(struct par *p, struct err *err) {
    const char *text = getenv("TASKVEC_SILENCE");
    char *end = NULL;
    if (!text) return ERR_OK;
    p->silence = strtod(text, &end);
    if (end == text || *end || !(p->silence >= 1.0 && p->silence <= 1e6))
        return ERR(err, ERR_USAGE, "TASKVEC_SILENCE: \"%s\": expected seconds, from 1 to 1e6",
                   text);
    return ERR_OK;
}

static int number_of(const char *variable) {
    const char *text = getenv(variable);
    return text ? atoi(text) : 0;
}

/* The environment tells an MPI library where the other tasks are: PMI_RANK, PMI_FD, PMIX_RANK, ...
 */
static bool has_process_manager(void) {
    for (char **at = environ; *at; at++)
        if (strncmp(*at, "PMI", 3) == 0) return true;
    return getenv("OMPI_COMM_WORLD_SIZE") != NULL;
}

/* Several tasks of one srun step without a common MPI would all be rank 0 and write one folder. */
static enum err_code check_step(const struct par *p, struct err *err) {
    const int tasks = number_of("SLURM_STEP_NUM_TASKS");
    if (p->size > 1 || p->launched || !getenv("SLURM_PROCID") || !getenv("SLURM_STEP_ID") ||
        tasks < 2)
        return ERR_OK;
    return ERR(err, ERR_CONFIG,
               "srun started %d tasks without a common MPI (each is rank 0 of 1): use "
               "`srun --mpi=pmix` or mpirun; `srun --mpi=list` shows what this site has; --mpi no "
               "if each is a run of its own",
               tasks);
}

static void warn_of_one_rank(const struct par *p, const struct log *log) {
    const int tasks = number_of("SLURM_NTASKS");
    if (p->size > 1 || p->launched || !getenv("SLURM_PROCID") || tasks < 2) return;
    log_line(log, LOG_WARNING,
             "one rank in a Slurm job of %d tasks: start with mpirun or srun --mpi=pmix", tasks);
}

bool par_is_launched(void) {
    static const char *const OF_A_LAUNCHER[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK",
                                                "PMI_SIZE"};
    for (size_t i = 0; i < sizeof OF_A_LAUNCHER / sizeof *OF_A_LAUNCHER; i++)
        if (getenv(OF_A_LAUNCHER[i])) return true;
    return number_of("SLURM_STEP_NUM_TASKS") > 1;
}

enum err_code par_read_mpi(enum par_mpi *mpi, const char *word, struct err *err) {
    static const char *const WORDS[] = {"auto", "yes", "no"}; /* in the order of enum par_mpi */
    for (int i = 0; i < 3; i++)
        if (strcmp(word ? word : WORDS[0], WORDS[i]) == 0) {
            *mpi = (enum par_mpi)i;
            return ERR_OK;
        }
    return ERR(err, ERR_USAGE, "--mpi %s: expected auto, yes or no", word);
}

static enum err_code start_mpi(struct par *p, struct err *err) {
    enum err_code rc = ERR_OK;
    /* Without a launcher (--mpi yes) Open MPI 4 would start a daemon, which needs ssh in PATH; one
     * rank needs neither. Under a launcher this setting has no effect. */
    (void)setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
    TRY_MPI(MPI_Init(NULL, NULL));
    p->started = true;
    TRY_MPI(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
    TRY_MPI(MPI_Comm_rank(MPI_COMM_WORLD, &p->rank));
    TRY_MPI(MPI_Comm_size(MPI_COMM_WORLD, &p->size));
cleanup:
    return rc;
}

enum err_code par_init(struct par *p, enum par_mpi mpi, const struct log *log, struct err *err) {
    enum err_code rc = ERR_OK;
    *p = (struct par){.size = 1, .signals = -1, .silence = SILENCE};
    p->launched = getenv("OMPI_COMM_WORLD_SIZE") != NULL; /* before MPI_Init, which may set it */
    TRY(read_silence(p, err));
    TRY(block_signals(p, err));
    (void)gethostname(p->host, sizeof p->host - 1);
    if (mpi == PAR_MPI_NO) return ERR_OK;
    /* Open MPI would end the process in MPI_Init, with a page about its own build. */
    if (mpi == PAR_MPI_AUTO && !has_process_manager()) TRY(check_step(p, err));
    if (mpi == PAR_MPI_YES || par_is_launched()) TRY(start_mpi(p, err));
    TRY(check_step(p, err));
    warn_of_one_rank(p, log);
cleanup:
    return rc;
}

/* A thread, since alarm() would need a global for the exit code. Closing its pipe stops it. */
struct guard {
    pthread_t thread;
    int ends[2], code;
    bool watching;
};

static void *exit_late(void *self) {
    const struct guard *g = self;
    struct pollfd closed = {.fd = g->ends[0]};
    if (poll(&closed, 1, 1000 * FINALIZE_TIMEOUT) == 0) _exit(g->code);
    return NULL;
}

static void guard_begin(struct guard *g, int code) {
    g->code = code;
    if (pipe2(g->ends, O_CLOEXEC) != 0) return;
    g->watching = pthread_create(&g->thread, NULL, exit_late, g) == 0;
}

static void guard_end(struct guard *g) {
    if (!g->watching) return;
    close(g->ends[1]);
    (void)pthread_join(g->thread, NULL);
    close(g->ends[0]);
}

int par_abandon(struct par *p, int code) {
    if (p->signals >= 0) close(p->signals);
    *p = (struct par){.size = 1, .signals = -1};
    return code;
}

int par_finish(struct par *p, int code) {
    struct guard guard = {0};
    if (p->started) {
        guard_begin(&guard, code);
        (void)MPI_Finalize();
        guard_end(&guard);
        if (p->size > 1 && p->rank == 0 && code != 0) clock_sleep(0.1); /* exits last */
    }
    return par_abandon(p, code);
}

/* Polls, since MPI_Wait would keep a core busy. */
static enum err_code wait_for(MPI_Request *request, struct err *err) {
    enum err_code rc = ERR_OK;
    double pause = SLEEP_LEAST;
    for (int over = 0; !over;) {
        TRY_MPI(MPI_Test(request, &over, MPI_STATUS_IGNORE));
        if (over) break;
        clock_sleep(pause);
        pause = 1.5 * pause < SLEEP_MOST ? 1.5 * pause : SLEEP_MOST;
    }
cleanup:
    return rc;
}

enum err_code par_barrier(struct par *p, struct err *err) {
    enum err_code rc = ERR_OK;
    MPI_Request request;
    if (p->size == 1) return ERR_OK;
    TRY_MPI(MPI_Ibarrier(MPI_COMM_WORLD, &request));
    TRY(wait_for(&request, err));
cleanup:
    return rc;
}

enum err_code par_gather(struct par *p, double *all, const double *mine, size_t n,
                         struct err *err) {
    enum err_code rc = ERR_OK;
    MPI_Request request;
    if (p->size == 1) {
        if (n > 0) memcpy(all, mine, n * sizeof *all);
        return ERR_OK;
    }
    CHECK(n <= INT_MAX, ERR_DATA, "%zu numbers from each rank: at most %d fit an MPI message", n,
          INT_MAX);
    TRY_MPI(MPI_Igather(mine, (int)n, MPI_DOUBLE, all, (int)n, MPI_DOUBLE, 0, MPI_COMM_WORLD,
                        &request));
    TRY(wait_for(&request, err));
cleanup:
    return rc;
}

#if PAR_ASAN
/* Called by the leak checker at exit. Open MPI leaks from modules that are unloaded by then, so
 * that no suppression matches; processes without MPI are checked. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void) {
    int started = 0;
    (void)MPI_Initialized(&started);
    return started;
}
#endif

void par_library(struct text *out) {
    char version[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int n = 0;
    if (MPI_Get_library_version(version, &n) != MPI_SUCCESS) n = 0;
    version[strcspn(version, "\n")] = '\0';
    text_add(out, "%s", n > 0 ? version : "MPI of unknown version");
}
