/*
 * child_process.h - the compute child as a process: started, ended, its death told.
 *
 * posix_spawn of the program's own binary in a process group of its own (mpirun signals groups);
 * it dies with its supervisor.  Nothing is forked after MPI_Init.
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

/* In the child, first of all: die with the parent, keep no file open but fd and *memory (-1: none
 * was given). False: the parent is dead already. */
bool child_process_arrive(int fd, int *memory);

/* The data segment of this process may grow by `bytes` from now on; 0: without limit. */
void child_process_limit_memory(size_t bytes);

/* Waits for a child that is dying, or ends it by SIGKILL at once; returns its wait status. After
 * somebody's SIGKILL it returns a moment later: if all processes of a node are killed one by one,
 * as at the end of Slurm's patience, the supervisor dies in it, and the job has not failed. */
int child_process_reap(pid_t pid, bool kill_now);

/* What a wait status means for the job that ran. */
enum failure child_process_verdict(char *reason, size_t size, int status);

#endif
