/*
 * calibration_cache.h - the file that keeps a calibration: taskvec/calibration-HOST-BUILD.json in
 * $XDG_CACHE_HOME, or in ~/.cache. HOST is a hash of the host, BUILD one of the build and the BLAS
 * kernel; the file repeats them in words.
 */
#ifndef CALIBRATION_CALIBRATION_CACHE_H
#define CALIBRATION_CALIBRATION_CACHE_H

#include "base/file.h"
#include "calibration/calibration.h"

/* False: neither XDG_CACHE_HOME nor HOME is an absolute path of a usable length. */
bool calibration_cache_path(char out[FILE_PATH_MAX]);

/* False: there is none, or it is damaged or of another host, build or kernel. */
bool calibration_cache_read(struct calibration *out);

/* Also removes what no plan will read: files older than a month, and of this host all but the
 * newest eight. Failures are ignored: the next plan measures again. */
void calibration_cache_write(const struct calibration *c);

#endif
