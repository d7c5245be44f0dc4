#include "par/mpi_check.h"

enum err_code mpi_error(struct err *err, int status, const char *call, const char *file, int line) {
    char text[MPI_MAX_ERROR_STRING] = "";
    int n = 0;
    if (MPI_Error_string(status, text, &n) != MPI_SUCCESS) n = 0;
    return err_set(err, ERR_MPI, file, line, "%.120s: %.*s", call, n, text);
}
