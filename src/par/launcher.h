/*
 * launcher.h - the mpirun that started this process, if it is the parent: its terminal and its
 * command.  Open MPI connects standard error of the ranks to a pipe, so that a rank cannot know by
 * itself that a person is watching.
 */
#ifndef PAR_LAUNCHER_H
#define PAR_LAUNCHER_H

#include "base/text.h"

/* A descriptor of the terminal to which mpirun writes what this process writes to standard error,
 * for the caller to close; -1: there is none, or standard error is not mpirun's pipe. */
int launcher_terminal(void);

/* The command that starts the same run again, quoted for a shell: that of mpirun, or argv and, of
 * `ranks` > 1, their number. */
void launcher_command(struct text *out, char *const *argv, int ranks);

#endif
