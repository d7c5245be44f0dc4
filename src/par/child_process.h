/*
 * child_process.h - the compute child as a process: start, kill, and what its exit status means.
 *
 * posix_spawn of the program's own binary in a process group of its own, since mpirun signals
 * process groups.  It dies with its supervisor.  fork() is not safe after MPI_Init and is not used.
 */
#ifndef PAR_CHILD_PROCESS_H
#define PAR_CHILD_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "par/message.h"

/* Starts `taskvec --child FD`; *fd is the supervisor's end of the socket. The child inherits the
 * file `memory` too (-1: none), and has `errors` as its standard error. ERR_SYSTEM. */
enum err_code child_process_start(pid_t *pid, int *fd, int memory, int errors, struct err *err);

/* In the child, first of all: asks to die with the parent, closes all files but fd and *memory (-1:
 * none was given). False: the parent is dead already. */
bool child_process_arrive(int fd, int *memory);

/* The data segment of this process may grow by `bytes` from now on; 0: without limit. */
void child_process_limit_memory(size_t bytes);

/* Moves that limit, if there is one. */
void child_process_move_limit(ptrdiff_t bytes);

/* Waits for a child that is dying, or kills it by SIGKILL at once; returns its wait status. After a
 * SIGKILL from outside it returns 0.2 s late: where all processes of a node are killed one by one,
 * as Slurm does at the end of its grace period, the supervisor dies in that time, and the job is
 * not reported as failed. */
int child_process_reap(pid_t pid, bool kill_now);

/* What a wait status means for the job that ran. */
enum failure child_process_failure(char *reason, size_t size, int status);

#endif
