/*
 * h5_check.h - HDF5 calls that fail like everything else here.
 *
 * h5_quiet() before the first call: the library keeps its error stack instead of printing it, and
 * TRY_H5 puts the innermost reason into our message.
 */
#ifndef STORE_H5_CHECK_H
#define STORE_H5_CHECK_H

#include <hdf5.h>

#include "base/err.h"

void h5_quiet(void);
enum err_code h5_error(struct err *err, const char *call, const char *file, int line);

/* For calls that say failure by a negative number. Ids start as H5I_INVALID_HID, so that cleanup
 * closes what was opened and nothing else. */
#define TRY_H5(call)                                                                               \
    do {                                                                                           \
        if ((call) < 0) {                                                                          \
            rc = h5_error(err, #call, __FILE__, __LINE__);                                         \
            goto cleanup;                                                                          \
        }                                                                                          \
    } while (0)
#define TRY_H5_ID(id, call) TRY_H5((id) = (call))

#endif
