/*
 * calibration_prune.h - removes calibrations that no plan will read: every build has a file of its
 * own, so they would pile up where the program is often built.
 */
#ifndef CALIBRATION_CALIBRATION_PRUNE_H
#define CALIBRATION_CALIBRATION_PRUNE_H

/* Next to `path`, calibration-HOST-BUILD.json: files calibration-*.json that were written more than
 * 30 days before `now` (seconds since 1970), and of those of the same HOST all but the eight that
 * were written last. Failures are ignored. */
void calibration_prune(const char *path, double now);

#endif
