#include "par/child_process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "par/asan.h"

enum { SOCKET_BUFFER = 4 << 20, DYING_MS = 2000 };
static const double KILLED_TOO =
    0.2; /* seconds in which a KILL of all processes reaches this one */

/* Blocked in the child: the supervisor reacts to them, and Slurm sends TERM to every process of a
 * job. */
static const int BLOCKED[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};

#define MEMORY_NAME "TASKVEC_CHILD_MEMORY" /* file descriptor of the shared memory */

struct settings { /* variables that are set in the environment of a child */
    char memory[sizeof MEMORY_NAME + 16];
    const char *set[3];
};
enum { N_SET = sizeof((struct settings *)0)->set / sizeof(char *) };

static void make_settings(struct settings *s, int memory) {
    (void)snprintf(s->memory, sizeof s->memory, MEMORY_NAME "=%d", memory);
    s->set[0] = "OPENBLAS_NUM_THREADS=1";
    s->set[1] = "OMP_NUM_THREADS=1";
    s->set[2] = s->memory;
}

static bool is_replaced(const struct settings *s, const char *variable) {
    for (size_t i = 0; i < N_SET; i++) {
        const size_t n = strcspn(s->set[i], "=") + 1;
        if (strncmp(variable, s->set[i], n) == 0) return true;
    }
    return false;
}

/* The environment of this process with these settings; the strings are not copied. */
static char **environment(const struct settings *s) {
    size_t n = 0, used = 0;
    while (environ[n]) n++;
    char **out = calloc(n + N_SET + 1, sizeof *out);
    if (!out) return NULL;
    for (size_t i = 0; i < n; i++)
        if (!is_replaced(s, environ[i])) out[used++] = environ[i];
    memcpy(out + used, s->set, sizeof s->set);
    return out;
}

static enum err_code make_sockets(int ends[2], struct err *err) {
    const int size = SOCKET_BUFFER;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        return ERR(err, ERR_SYSTEM, "cannot create a socket for a compute child: %s",
                   strerror(errno));
    for (int i = 0; i < 2; i++) {
        (void)setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        (void)setsockopt(ends[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
    (void)fcntl(ends[0], F_SETFD, FD_CLOEXEC); /* the child inherits the other end */
    return ERR_OK;
}

static int start(pid_t *pid, int fd, int errors, char *const *env) {
    char program[] = "taskvec", word[] = "--child", number[16];
    char *const arguments[] = {program, word, number, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t blocked, all;
    (void)snprintf(number, sizeof number, "%d", fd);
    sigemptyset(&blocked);
    for (size_t i = 0; i < sizeof BLOCKED / sizeof *BLOCKED; i++) sigaddset(&blocked, BLOCKED[i]);
    sigfillset(&all);
    (void)posix_spawn_file_actions_init(&files);
    (void)posix_spawnattr_init(&how);
    (void)posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_adddup2(&files, errors, STDERR_FILENO);
    (void)posix_spawnattr_setpgroup(&how, 0);
    (void)posix_spawnattr_setsigmask(&how, &blocked);
    (void)posix_spawnattr_setsigdefault(&how, &all);
    (void)posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                             POSIX_SPAWN_SETSIGDEF);
    const int status = posix_spawn(pid, "/proc/self/exe", &files, &how, arguments, env);
    (void)posix_spawnattr_destroy(&how);
    (void)posix_spawn_file_actions_destroy(&files);
    return status;
}

enum err_code child_process_start(pid_t *pid, int *fd, int memory, int errors, struct err *err) {
    enum err_code rc = ERR_OK;
    int ends[2] = {-1, -1};
    struct settings settings;
    make_settings(&settings, memory);
    char **env = environment(&settings);
    CHECK(env, ERR_MEMORY, "no memory for the environment of a compute child");
    TRY(make_sockets(ends, err));
    const int status = start(pid, ends[1], errors, env);
    CHECK(status == 0, ERR_SYSTEM, "cannot start a compute child: %s (see ulimit -u and -v)",
          strerror(status));
    *fd = ends[0];
    ends[0] = -1;
cleanup:
    if (ends[0] >= 0) close(ends[0]);
    if (ends[1] >= 0) close(ends[1]);
    free(env);
    return rc;
}

static void close_all_but(int keep, int keep_too) {
    DIR *d = opendir("/proc/self/fd");
    if (!d) return;
    for (struct dirent *entry = readdir(d); entry; entry = readdir(d)) {
        const int fd = atoi(entry->d_name);
        if (fd > 2 && fd != keep && fd != keep_too && fd != dirfd(d)) close(fd);
    }
    closedir(d);
}

bool child_process_arrive(int fd, int *memory) {
    const char *number = getenv(MEMORY_NAME);
    struct ucred maker = {0};
    socklen_t size = sizeof maker;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &maker, &size) != 0) return false;
    *memory = number ? atoi(number) : -1;
    close_all_but(fd, *memory);
    return getppid() == maker.pid;
}

#if PAR_ASAN
void child_process_limit_memory(size_t bytes) {
    (void)bytes;
} /* ASan's shadow memory alone is larger */
void child_process_move_limit(ptrdiff_t bytes) { (void)bytes; }
#else
static size_t data_bytes(void) {
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f) return 0;
    if (fscanf(f, "%*u %*u %*u %*u %*u %lu", &pages) != 1) pages = 0;
    fclose(f);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

void child_process_limit_memory(size_t bytes) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_DATA, &limit) != 0) return;
    const rlim_t wanted = (rlim_t)(data_bytes() + bytes);
    limit.rlim_cur = bytes == 0 || wanted > limit.rlim_max ? limit.rlim_max : wanted;
    (void)setrlimit(RLIMIT_DATA, &limit);
}

void child_process_move_limit(ptrdiff_t bytes) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_DATA, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur += (rlim_t)bytes;
    if (limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_DATA, &limit);
}
#endif

static bool is_killed(int status) { return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL; }

int child_process_reap(pid_t pid, bool kill_now) {
    int status = 0;
    if (kill_now) (void)kill(pid, SIGKILL);
    for (int i = 0; i < DYING_MS; i++) {
        if (waitpid(pid, &status, WNOHANG) == pid) {
            if (!kill_now && is_killed(status)) clock_sleep(KILLED_TOO);
            return status;
        }
        clock_sleep(1e-3);
    }
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    return status;
}

enum failure child_process_failure(char *reason, size_t size, int status) {
    if (WIFEXITED(status)) {
        (void)snprintf(reason, size, "the compute child exited with code %d", WEXITSTATUS(status));
        return FAILURE_EXIT;
    }
    const int signal = WTERMSIG(status);
    (void)snprintf(reason, size, "the compute child died of signal %d (%s)%s", signal,
                   strsignal(signal), signal == SIGKILL ? ": out of memory, or kill -9" : "");
    switch (signal) {
    case SIGSEGV:
    case SIGBUS:
        return FAILURE_SEGV;
    case SIGABRT:
        return FAILURE_ABORT;
    case SIGKILL:
        return FAILURE_KILL;
    default:
        return FAILURE_SIGNAL;
    }
}
