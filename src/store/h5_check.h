/*
 * h5_check.h - HDF5 errors as struct err.
 *
 * Call h5_quiet() before the first HDF5 call: the library then keeps its error stack instead of
 * printing it, and TRY_H5 puts the innermost reason into the message.
 */
#ifndef STORE_H5_CHECK_H
#define STORE_H5_CHECK_H

#include <hdf5.h>

#include "base/err.h"

void h5_quiet(void);
enum err_code h5_error(struct err *err, const char *call, const char *file, int line);

/* For calls that return a negative number on failure. Ids start as H5I_INVALID_HID, so that cleanup
 * closes only what was opened. */
#define TRY_H5(call)                                                                               \
    do {                                                                                           \
        if ((call) < 0) {                                                                          \
            rc = h5_error(err, #call, __FILE__, __LINE__);                                         \
            goto cleanup;                                                                          \
        }                                                                                          \
    } while (0)
#define TRY_H5_ID(id, call) TRY_H5((id) = (call))

#endif
