/*
 * run_summary.h - the last line of a run: its jobs, its results and, where work remains, the
 * command that resumes.
 */
#ifndef CLI_RUN_SUMMARY_H
#define CLI_RUN_SUMMARY_H

#include "base/text.h"
#include "par/farm.h"

struct run_ending {
    const struct farm_outcome *outcome;
    bool published; /* results.h5 was written by this run */
    bool disk_full; /* what ended it */
};

/* argv, ranks: of this run, for the command. */
void run_summary_print(struct text *out, const char *dir, const struct run_ending *e,
                       char *const *argv, int ranks);

/* The same on standard error and at once, before the other ranks are released: mpirun that ends its
 * ranks discards what they write to standard output in their last second, and main() prints after
 * MPI_Finalize. */
void run_summary_print_at_once(const char *dir, const struct run_ending *e, char *const *argv,
                               int ranks);

#endif
