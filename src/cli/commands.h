/*
 * commands.h - runs the command that the command line names.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

/* Runs one command; returns the exit code. Errors are one line,
 * "taskvec: MESSAGE", on stderr. */
int run_main(int argc, char **argv);

#endif
