/*
 * command.h - one command of the program: its help, its options, what it does; and the list of
 * them.
 *
 * A command is one file NAME_command.c with one `const struct command` and one line in commands.c.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/err.h"
#include "base/text.h"
#include "cli/options.h"

struct command {
    const char *name;
    const char *arguments; /* "CFG", for the usage line */
    const char *meaning;   /* half a line */
    const char *more;      /* printed below the options by --help */
    const struct option_row *options;
    size_t n_options;
    size_t least_args, most_args;
    /* Appends the standard output to *out. *exit_code is 0 at first and counts only if ERR_OK is
     * returned. argv: the whole command line, for provenance. */
    enum err_code (*run)(struct text *out, int *exit_code, const struct options *o,
                         char *const *argv, struct err *err);
};

extern const struct command COMMAND_PLAN, COMMAND_RUN, COMMAND_STATUS, COMMAND_TABLE,
    COMMAND_REPORT, COMMAND_REPRODUCE, COMMAND_VERIFY, COMMAND_DIGEST, COMMAND_FSCK,
    COMMAND_EXPLAIN, COMMAND_ARTIFACT, COMMAND_EXAMPLES, COMMAND_BENCH, COMMAND_DOCTOR,
    COMMAND_TOKENIZE, COMMAND_GENERATE, COMMAND_HELP;

/* What the program does, in two lines, and the first commands to try: for help and man page. */
extern const char COMMAND_SUMMARY[], COMMAND_FIRST_STEPS[];

size_t command_count(void);
const struct command *command_at(size_t i);
const struct command *command_find(const char *name); /* NULL: unknown */

/* A rank other than 0 of a launcher. Ranks that all fail before MPI starts, or go on after it
 * ended, would print the same: only rank 0 does. */
bool command_is_silent_rank(void);

/* `taskvec COMMAND --help`: usage, options and remarks of one command. */
void command_help(struct text *out, const struct command *c);
void command_remarks(struct text *out, const struct command *c); /* what follows the options */

/* `taskvec --help`: all commands, and the topics of `taskvec help`. */
void help_overview(struct text *out);

#endif
