#include "store/h5_check.h"

/* H5dont_atexit comes before anything else: with a file that could not be closed on a full disk,
 * the library's work at exit crashes. */
void h5_quiet(void) {
    (void)H5dont_atexit();
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

/* Walked inside out, so the first entry is where it really failed. */
static herr_t take_first(unsigned n, const H5E_error2_t *entry, void *reason) {
    if (n == 0) *(const char **)reason = entry->desc;
    return 0;
}

enum err_code h5_error(struct err *err, const char *call, const char *file, int line) {
    const char *reason = "no reason given";
    (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, &reason);
    return err_set(err, ERR_IO, file, line, "HDF5: %.100s: %s", call, reason);
}
