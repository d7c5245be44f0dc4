/*
 * mpi_check.h - MPI calls whose errors become struct err.
 *
 * par_init() sets MPI_ERRORS_RETURN first: under the default handler these checks never run.
 */
#ifndef PAR_MPI_CHECK_H
#define PAR_MPI_CHECK_H

#include <mpi.h>

#include "base/err.h"

/* ERR_MPI with the library's own text for `status`. */
enum err_code mpi_error(struct err *err, int status, const char *call, const char *file, int line);

/* Needs `rc`, `err` and `cleanup:` in scope, as TRY does. */
#define TRY_MPI(call)                                                                              \
    do {                                                                                           \
        const int mpi_status_ = (call);                                                            \
        if (mpi_status_ != MPI_SUCCESS) {                                                          \
            rc = mpi_error(err, mpi_status_, #call, __FILE__, __LINE__);                           \
            goto cleanup;                                                                          \
        }                                                                                          \
    } while (0)

#endif
